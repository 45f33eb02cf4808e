"""What the planner is told of the farm: the slots of the workers that are up."""

from sqlalchemy import update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import worker
from omkt_pipeline.domain.capacity import Capacity, ChunkRules
from omkt_pipeline.domain.steering import Steering
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue.capacity import CHUNK_SECONDS, capacity, chunk_rules
from omkt_pipeline.queue.farm import found_farm
from omkt_pipeline.queue.maintenance import steer, steering
from omkt_pipeline.queue.workers import DRAINING, NEAR, sign
from omkt_pipeline.testing import a_claimant


def with_speed(database: Database, worker_id: int, speed: float) -> None:
    statement = update(worker).where(worker.c.id == worker_id).values(facts={"speed": speed})
    database.transact(lambda connection: connection.execute(statement).rowcount)


def test_a_farm_without_workers_counts_as_the_smallest(database: Database) -> None:
    assert capacity(database, Pool.TRANSCODER) == Capacity(slots=1, hosts=1)


def test_slots_of_workers_that_take_nothing_do_not_count(database: Database) -> None:
    for host in ("alpha", "alpha", "beta"):
        a_claimant(database, Pool.TRANSCODER, host=host)
    a_claimant(database, Pool.METADATA, host="gamma")
    sign(database, a_claimant(database, Pool.TRANSCODER, host="delta").worker_id, state=DRAINING)

    assert capacity(database, Pool.TRANSCODER) == Capacity(slots=3, hosts=2)


def test_hosts_of_different_speeds_are_an_uneven_farm(database: Database) -> None:
    for host, speed in (("alpha", 1.0), ("beta", 2.5)):
        with_speed(database, a_claimant(database, Pool.TRANSCODER, host=host).worker_id, speed)

    assert capacity(database, Pool.TRANSCODER).uneven


def test_a_farm_whose_transcoders_read_over_a_network_beside_a_prober_at_the_disk(database: Database) -> None:
    a_claimant(database, Pool.TRANSCODER, host="beta")
    assert not capacity(database, Pool.TRANSCODER).afar
    near = update(worker).values(facts={NEAR: True})
    prober = a_claimant(database, Pool.METADATA, host="alpha").worker_id
    database.transact(lambda connection: connection.execute(near.where(worker.c.id == prober)).rowcount)
    assert capacity(database, Pool.TRANSCODER).afar
    database.transact(lambda connection: connection.execute(near).rowcount)
    assert not capacity(database, Pool.TRANSCODER).afar


def test_an_operator_changes_how_films_are_cut_and_changes_it_back(database: Database) -> None:
    found_farm(database)
    steer(database, {"chunk_min_seconds": 4.0, "keep_results_days": 1.0})
    assert chunk_rules(database) == ChunkRules(min_seconds=4.0)
    assert steering(database).days("keep_results_days", 30.0) == 1.0
    assert steering(database).days("keep_failed_days", 3.0) == 3.0

    assert steer(database, {"chunk_min_seconds": None}) == Steering(keep_results_days=1.0)
    assert chunk_rules(database) == ChunkRules()


def test_a_dry_run_cuts_as_the_planner_that_signed_last(database: Database) -> None:
    assert chunk_rules(database) == ChunkRules()
    for host, seconds in (("alpha", [5.0, 9.0]), ("beta", [2.0, 3.0])):
        planner = a_claimant(database, Pool.METADATA, host=host).worker_id
        facts = update(worker).where(worker.c.id == planner).values(facts={CHUNK_SECONDS: seconds})
        database.transact(lambda connection, facts=facts: connection.execute(facts).rowcount)
        sign(database, planner, state="up")

    assert chunk_rules(database) == ChunkRules(min_seconds=2.0, target_seconds=3.0)
