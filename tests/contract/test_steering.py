"""The operator's brake, quotas, and what went wrong on the farm."""

import pytest
from sqlalchemy import update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import media
from omkt_pipeline.domain.account import Quotas
from omkt_pipeline.domain.effects import Planned, Settlement
from omkt_pipeline.domain.errors import NotFound, Refused, SourceError
from omkt_pipeline.domain.job import JobState
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue.farm import found_farm
from omkt_pipeline.queue.giveback import fail
from omkt_pipeline.queue.maintenance import pause, paused_pools
from omkt_pipeline.queue.overview import job_by_key
from omkt_pipeline.queue.quotas import demand_quota, demand_upload, usage_of
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.queue.tenants import change_tenant
from omkt_pipeline.queue.troubles import stored, troubles
from omkt_pipeline.queue.workers import register, sign
from omkt_pipeline.testing import a_job, a_plan, a_planned_job, a_settlement, an_account, taken


def test_a_paused_pools_workers_hear_of_it_when_they_sign(database: Database) -> None:
    found_farm(database)
    workers = {pool: register(database, host="alpha", pool=pool, version="1", slots=1, facts={}) for pool in Pool}
    pause(database, [Pool.TRANSCODER])

    heard = {pool: sign(database, worker, state="up").paused for pool, worker in workers.items()}

    assert heard == {Pool.COURIER: False, Pool.METADATA: False, Pool.TRANSCODER: True}
    assert paused_pools(database) == {Pool.TRANSCODER}
    pause(database, [])
    assert not sign(database, workers[Pool.TRANSCODER], state="up").paused
    assert paused_pools(database) == frozenset()


def test_what_an_account_stores_counts_until_it_is_gone(database: Database, account: int) -> None:
    a_planned_job(database, account, a_plan(encodes=1))
    for _ in range(2):
        held = taken(database, Pool.TRANSCODER)
        settle(database, held, a_settlement(held))
    a_job(database, account)
    fetched = taken(database, Pool.COURIER)
    settle(database, fetched, a_settlement(fetched))
    used = usage_of(database, account)
    assert used.original_bytes > 0
    assert used.result_bytes > 0

    demand_quota(database, account, Quotas())
    demand_quota(database, account, Quotas(max_bytes=used.bytes + 10), 10)
    for quotas, more in ((Quotas(max_bytes=used.bytes), 0), (Quotas(max_bytes=used.bytes + 9), 10)):
        with pytest.raises(Refused) as refused:
            demand_quota(database, account, quotas, more)
        assert refused.value.code == "quota_storage"
    assert [(one.account, one.original_bytes, one.result_bytes) for one in stored(database)] == [
        ("acme", used.original_bytes, used.result_bytes)
    ]


def test_an_upload_has_a_bound_of_its_own(database: Database, account: int) -> None:
    demand_upload(database, account, Quotas(max_upload_bytes=5), 5)
    with pytest.raises(Refused) as refused:
        demand_upload(database, account, Quotas(max_upload_bytes=5), 6)
    assert refused.value.code == "quota_upload"


def test_more_minutes_than_the_day_allows_are_refused_when_they_are_known(database: Database, account: int) -> None:
    change_tenant(database, "acme", {"max_daily_minutes": 3})
    with pytest.raises(NotFound):
        change_tenant(database, "nobody", {})
    keys = []
    for _ in range(2):
        keys.append(a_job(database, account, path="a.mp4"))
        held = taken(database, Pool.METADATA)
        settle(database, held, a_settlement(held))
        two_minutes = update(media).values(facts={"duration": 120.0})
        database.transact(lambda connection, change=two_minutes: connection.execute(change) and None)
        held = taken(database, Pool.METADATA)
        settle(database, held, Settlement(effect=Planned(plan=a_plan(encodes=1))))

    first, second = (job_by_key(database, account, key) for key in keys)

    assert first.state is JobState.RUNNING
    assert (second.state, second.error.code if second.error else None) == (JobState.FAILED, "quota_minutes")
    assert usage_of(database, account).minutes_today == pytest.approx(2)


def test_what_failed_for_good_is_shown_with_its_account_and_host(database: Database, account: int) -> None:
    other = an_account(database, "other")
    for one in (account, other):
        key = a_job(database, one)
        fail(
            database,
            taken(database, Pool.COURIER),
            SourceError("Broken.", code="broken", log_tail="tool says"),
            host="a",
        )

    newest, oldest = troubles(database, limit=5)

    assert (newest.account, newest.job_key, newest.reason, newest.log_tail) == ("other", key, "broken", "tool says")
    assert oldest.account == "acme"
    assert [one.id for one in troubles(database, limit=1, before=newest.id)] == [oldest.id]
