"""Presets of the farm's own, on every database."""

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.preset import AudioPreset, AudioSettings
from omkt_pipeline.queue.presets import KnownPresets, put, remove, stored

MINE = AudioPreset(id="mine", version=1, kind="audio", audio=AudioSettings())


def test_a_preset_is_stored_changed_and_removed(database: Database) -> None:
    assert put(database, MINE).version == 1
    assert put(database, MINE).version == 1
    assert put(database, MINE.model_copy(update={"title": "other"})).version == 2
    assert stored(database)["mine"].title == "other"
    remove(database, "mine")
    assert stored(database) == {}


def test_another_process_finds_a_new_one_at_once(database: Database) -> None:
    known = KnownPresets(database, {"shipped": MINE})
    assert list(known) == ["shipped"]
    put(database, MINE)
    assert known["mine"].version == 1
    assert "nothing" not in known
    assert len(known) == 2
