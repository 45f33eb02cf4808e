"""What a person reads of the services' logs."""

import json
from pathlib import Path

from omkt_cli.farm.journal import Journal, last_words, readable


def line(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_work_that_begins_and_ends_is_told() -> None:
    task = {"level": "info", "kind": "encode", "job": "abcdefghij"}

    assert readable(line(event_code="attempt_begins", **task)) == "encode of job abcdef begins"
    ended = line(event_code="attempt_ended", outcome="ok", seconds=3.21, **task)
    assert readable(ended) == "encode of job abcdef done in 3.2 s"


def test_what_only_machines_care_for_is_not_told() -> None:
    assert readable(line(level="info", event="database asked to try again", event_code="db_retry")) is None
    assert readable(b"no JSON at all") is None


def test_warnings_are_told_with_their_reason() -> None:
    said = readable(
        line(level="warning", event="attempt failed", reason="It is no film.", kind="probe", job="abcdefgh")
    )

    assert said == "probe of job abcdef: attempt failed: It is no film."


def test_a_line_is_told_once_and_only_when_it_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_bytes(line(level="error", event="before") + b"\n")
    journal = Journal({"api": log})
    whole = line(level="error", event="something broke") + b"\n"

    with log.open("ab") as stream:
        stream.write(whole[:10])
    assert list(journal.news()) == []
    with log.open("ab") as stream:
        stream.write(whole[10:])
    assert list(journal.news()) == [("api", "something broke")]
    assert list(journal.news()) == []


def test_the_last_words_of_a_process_are_its_refusal(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_bytes(
        line(level="critical", event="The share is not mounted.", event_code="refused")
        + b"\n"
        + line(level="info", event="x")
        + b"\n"
    )

    assert last_words(log) == "The share is not mounted."


def test_the_last_words_of_a_crash_are_its_last_line(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("Traceback (most recent call last):\n  File …\nImportError: no module\n")

    assert last_words(log) == "ImportError: no module"


def test_a_process_without_a_log_left_no_word(tmp_path: Path) -> None:
    assert last_words(tmp_path / "api.log") == "it left no word."
