"""The services' logs: JSON lines in files, and what a person at the terminal wants to read of them."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_LARGEST_BYTES = 20 << 20
_LOUD = frozenset({"warning", "error", "critical"})
_TAIL_BYTES = 64 << 10


class Journal:
    """Follows the logs from where they end now."""

    def __init__(self, logs: Mapping[str, Path]) -> None:
        self._logs = logs
        self._read = {name: _size(path) for name, path in logs.items()}

    def news(self) -> Iterator[tuple[str, str]]:
        """What was written since the last time, as (service, sentence)."""
        for name, path in self._logs.items():
            for line in self._new_lines(name, path):
                sentence = readable(line)
                if sentence is not None:
                    yield name, sentence

    def _new_lines(self, name: str, path: Path) -> list[bytes]:
        size = _size(path)
        if size < self._read[name]:
            self._read[name] = 0
        if size == self._read[name]:
            return []
        with path.open("rb") as stream:
            stream.seek(self._read[name])
            text = stream.read(size - self._read[name])
        # A line that is being written is read the next time.
        whole, newline, _ = text.rpartition(b"\n")
        self._read[name] += len(whole) + len(newline)
        return whole.splitlines()


def readable(line: bytes) -> str | None:
    """One line of a log as a sentence for people, or None for what only machines care for."""
    entry = _parsed(line)
    if entry is None:
        return None
    event = entry.get("event_code")
    what = f"{entry.get('kind')} of job {str(entry.get('job'))[:6]}"
    if event == "attempt_begins":
        return f"{what} begins"
    if event == "attempt_ended" and entry.get("outcome") == "ok":
        return f"{what} done in {float(entry.get('seconds') or 0):.1f} s"
    if entry.get("level") not in _LOUD:
        return None
    subject = f"{what}: " if entry.get("job") else ""
    reason = f": {entry['reason']}" if entry.get("reason") else ""
    return f"{subject}{entry.get('event', 'something happened')}{reason}"


def last_words(log: Path) -> str:
    """The last thing in a log that tells why a process ended."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, _size(log) - _TAIL_BYTES))
            lines = [line for line in stream.read().splitlines() if line.strip()]
    except OSError:
        lines = []
    for line in reversed(lines):
        entry = _parsed(line)
        if entry is None:
            return line.decode(errors="replace").strip()
        if entry.get("level") in _LOUD:
            return readable(line) or str(entry.get("event"))
    return "it left no word."


def trim(log: Path) -> None:
    """Before a process begins to write: keep a log that has grown large as the previous one, and begin anew."""
    if _size(log) > _LARGEST_BYTES:
        shutil.move(log, log.with_name(log.name + ".1"))


def _parsed(line: bytes) -> Mapping[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
