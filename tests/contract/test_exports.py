"""The main host's word on its exports, and the hosts that wait for it."""

import pytest

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.exports import Export
from omkt_pipeline.queue.exports import ExportsGate, export_faults, report_exports
from omkt_pipeline.queue.farm import found_farm

SAFE = Export(path="/srv/omkt", client="10.0.0.0/24", options=frozenset({"rw", "sync", "root_squash"}))


@pytest.fixture(autouse=True)
def farm(database: Database) -> None:
    found_farm(database)


def test_before_the_main_host_spoke_nothing_is_safe(database: Database) -> None:
    (fault,) = export_faults(database)
    assert "courier" in fault


def test_a_safe_word_opens_and_an_unsafe_one_closes_again(database: Database) -> None:
    report_exports(database, [SAFE], [])
    assert export_faults(database) == ()
    report_exports(database, [SAFE], ["exported with async", "exported to everybody"])
    assert export_faults(database) == ("exported with async", "exported to everybody")


def test_an_old_word_is_none(database: Database) -> None:
    report_exports(database, [SAFE], [])
    (fault,) = export_faults(database, recent_seconds=-1)
    assert "docker compose ps courier" in fault


def test_a_waiting_host_looks_into_the_database_every_few_seconds_only(database: Database) -> None:
    now = 0.0
    gate = ExportsGate(database, clock=lambda: now)
    assert gate.why_closed() is not None
    report_exports(database, [SAFE], [])
    assert gate.why_closed() is not None
    now = 6.0
    assert gate.why_closed() is None
