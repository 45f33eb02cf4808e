"""The doctor names what is wrong with a host, and what to do."""

from pathlib import Path

import pytest

from omkt_pipeline.db.engine import Database
from omkt_pipeline.doctor import examine
from omkt_pipeline.domain.finding import Finding
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue.farm import found_farm
from omkt_pipeline.queue.workers import register
from omkt_pipeline.settings import DaemonSettings
from omkt_pipeline.storage.identity import host_identity
from omkt_pipeline.storage.share import Share


def settings_for(database: Database, folder: Path, **changes: object) -> DaemonSettings:
    Share.create(folder / "share", farm_id=found_farm(database).id)
    (folder / "scratch").mkdir(exist_ok=True)
    values: dict[str, object] = {
        "database_url": database.url.render_as_string(hide_password=False),
        "share_root": folder / "share",
        "scratch_root": folder / "scratch",
        "scratch_free_floor": 0,
        "identity_file": folder / "identity",
        "host_name": "alpha",
    }
    return DaemonSettings.model_validate(values | changes)


def findings(settings: DaemonSettings) -> dict[str, Finding]:
    return {finding.subject: finding for finding in examine(settings, with_ffmpeg=True)}


@pytest.fixture
def sound(database: Database, tmp_path: Path) -> DaemonSettings:
    return settings_for(database, tmp_path)


def test_a_sound_host_has_no_fault(database: Database, sound: DaemonSettings) -> None:
    register(
        database,
        host="alpha",
        pool=Pool.TRANSCODER,
        version="1",
        slots=1,
        facts={},
        identity=host_identity(sound.identity_file or Path()),
    )

    found = findings(sound)
    # the tests run as root here and there, which the share's owner line rightly complains of
    assert {name for name, one in found.items() if not one.fine} <= {"share: owner"}, found
    assert {"database", "database: settings", "database: schema", "clock", "name", "scratch", "ffmpeg"} <= set(found)
    assert found["name"].found == "alpha is this machine's."


def test_a_database_that_is_away_is_told_and_the_rest_is_looked_at(database: Database, tmp_path: Path) -> None:
    away = settings_for(database, tmp_path, database_url="mysql+pymysql://omkt:hush@127.0.0.1:1/omkt")

    found = findings(away)
    assert "hush" not in str(found)
    assert not found["database"].fine
    assert found["scratch"].fine


def test_a_name_that_another_machine_has_is_told(database: Database, sound: DaemonSettings) -> None:
    register(database, host="alpha", pool=Pool.TRANSCODER, version="1", slots=1, facts={}, identity="another")

    assert "OMKT_HOST_NAME" in str(findings(sound)["name"])


def test_a_share_of_another_farm_and_a_full_scratch_are_told(database: Database, tmp_path: Path) -> None:
    settings = settings_for(database, tmp_path, scratch_free_floor=1 << 62)
    (tmp_path / "share" / ".omkt-share").write_text('{"farm": "another"}')

    found = findings(settings)
    assert "another farm" in str(found["share: sentinel"])
    assert "Make room" in str(found["scratch"])


def test_a_secondary_host_asks_how_the_main_host_exports(database: Database, tmp_path: Path) -> None:
    found = findings(settings_for(database, tmp_path, share_exported=True))

    assert "OMKT_ROLE=main" in str(found["share: exports"])
    assert not found["share: NFS"].fine
