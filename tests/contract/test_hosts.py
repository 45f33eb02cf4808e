"""A name belongs to one machine; an operator's orders outlive its containers."""

import pytest
from sqlalchemy import update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import worker
from omkt_pipeline.db.types import now_plus
from omkt_pipeline.domain.errors import Conflict, NotFound, Refused
from omkt_pipeline.domain.host import HostState
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue.hosts import host_by_name, hosts, invite, order, remove
from omkt_pipeline.queue.workers import ASIDE, GONE, UP, register, sign
from omkt_pipeline.testing import a_job, taken


def enter(database: Database, identity: str, *, name: str = "alpha", ffmpeg: str = "7.1") -> int:
    return register(
        database,
        host=name,
        pool=Pool.TRANSCODER,
        version="1",
        slots=2,
        facts={"ffmpeg": ffmpeg},
        identity=identity,
        lease_seconds=60,
    )


def silence(database: Database, worker_id: int) -> None:
    statement = update(worker).where(worker.c.id == worker_id).values(seen_at=now_plus(-61.0))
    database.transact(lambda connection: connection.execute(statement).rowcount)


def test_a_container_made_anew_is_the_same_host(database: Database) -> None:
    enter(database, "one")
    enter(database, "one")

    (host,) = hosts(database)
    assert (host.name, host.state, host.slots) == ("alpha", HostState.UP, 4)


def test_a_second_living_machine_of_one_name_is_refused_and_told_what_to_do(database: Database) -> None:
    enter(database, "one")

    with pytest.raises(Conflict, match="OMKT_HOST_NAME") as refused:
        enter(database, "two")
    assert refused.value.code == "host_name_taken"
    assert len(host_by_name(database, "alpha").workers) == 1


@pytest.mark.parametrize("how", ["silent", "gone"])
def test_a_machine_takes_over_the_name_of_a_dead_one(database: Database, how: str) -> None:
    first = enter(database, "one")
    if how == "silent":
        silence(database, first)
    else:
        sign(database, first, state=GONE, identity="one")

    second = enter(database, "two")

    assert not sign(database, second, state=UP, identity="two").ousted
    # the first was only cut off, and is back
    assert sign(database, first, state=UP, identity="one").ousted


def test_an_order_outlives_the_containers_of_its_host(database: Database) -> None:
    first = enter(database, "one")
    order(database, "alpha", drain=True)
    sign(database, first, state=GONE, identity="one")

    second = enter(database, "one")

    assert sign(database, second, state=UP, identity="one").drain
    assert host_by_name(database, "alpha").state is HostState.DRAINED
    order(database, "alpha", drain=False)
    assert not sign(database, second, state=UP, identity="one").drain
    assert host_by_name(database, "alpha").state is HostState.UP


def test_a_host_shows_what_it_runs_and_drains_until_that_ends(database: Database, account: int) -> None:
    worker_id = register(database, host="alpha", pool=Pool.COURIER, version="1", slots=1, facts={})
    job = a_job(database, account)
    taken(database, Pool.COURIER, worker_id=worker_id)
    order(database, "alpha", drain=True)

    host = host_by_name(database, "alpha")
    assert (host.state, host.running, host.tasks) == (HostState.DRAINING, 1, (f"fetch {job}",))


def test_a_host_none_of_whose_workers_takes_work_is_aside_with_its_reason(database: Database) -> None:
    sign(database, enter(database, "one"), state=ASIDE, note="everything failed here", identity="one")

    host = host_by_name(database, "alpha")
    assert (host.state, host.note) == (HostState.ASIDE, "everything failed here")


def test_a_host_is_invited_joins_and_is_removed_when_it_is_dead(database: Database) -> None:
    invite(database, "beta", database_user="omkt-beta")
    assert host_by_name(database, "beta").state is HostState.INVITED
    first = enter(database, "one", name="beta")

    with pytest.raises(Conflict, match="docker compose down"):
        remove(database, "beta")
    invite(database, "beta", database_user="omkt-beta")
    assert host_by_name(database, "beta").state is HostState.UP
    silence(database, first)

    assert remove(database, "beta") == "omkt-beta"
    assert hosts(database) == []
    assert sign(database, first, state=UP, identity="one").drain


@pytest.mark.parametrize(
    "name", ["", "Alpha", "-a", "a-", "a b", "a.b", "ä", "a" * 64, "a\n", "x'; DROP TABLE host; --"]
)
def test_a_name_that_others_could_not_use_is_not_invited(database: Database, name: str) -> None:
    with pytest.raises(Refused):
        invite(database, name, database_user="x")


def test_what_is_not_there_is_said(database: Database) -> None:
    for act in (lambda: order(database, "nobody", drain=True), lambda: remove(database, "nobody")):
        with pytest.raises(NotFound, match="nobody"):
            act()


def test_hosts_of_another_ffmpeg_are_noticed(database: Database) -> None:
    for name, build in (("alpha", "7.1"), ("beta", "7.1"), ("gamma", "5.1")):
        enter(database, name, name=name, ffmpeg=build)

    warned = {host.name: host.warnings for host in hosts(database)}
    assert warned["alpha"] == warned["beta"] == ()
    assert "5.1" in warned["gamma"][0]
