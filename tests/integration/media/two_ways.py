"""A film probed in both ways: by what its container says plainly, and by all its packets."""

from pathlib import Path

import pytest

from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.media import MediaFacts
from omkt_pipeline.media import probing
from omkt_pipeline.media.probing import probe
from omkt_pipeline.media.tools import Tools

Patch = pytest.MonkeyPatch


def both(film: Path, tools: Tools, monkeypatch: Patch) -> tuple[MediaFacts, MediaFacts]:
    """The facts from the tables, and those from all packets."""
    with monkeypatch.context() as without:
        without.setattr(probing, "_written", lambda *_: None)
        counted, _ = probing.probe(film, tools=tools, limits=Limits())
    written, _ = probing.probe(film, tools=tools, limits=Limits())
    return written, counted


def is_plain(film: Path, tools: Tools, monkeypatch: Patch) -> bool:
    """Whether probing does without ffprobe's list of all packets."""
    asked: list[Path] = []
    counted = probing._counted
    with monkeypatch.context() as listening:
        listening.setattr(probing, "_counted", lambda path, *a, **k: (asked.append(path), counted(path, *a, **k))[1])
        probe(film, tools=tools, limits=Limits())
    return not asked


def agree(written: MediaFacts, counted: MediaFacts) -> None:
    """Equal, but for the thousandths to which such files round, and versions of ffprobe in different ways."""
    assert without_lengths(written) == without_lengths(counted)
    ours, theirs = ([facts, *facts.video, *facts.audio] for facts in (written, counted))
    for one, other in zip(ours, theirs, strict=True):
        assert one.duration == pytest.approx(other.duration, abs=0.0015)


def without_lengths(facts: MediaFacts) -> MediaFacts:
    video, audio = ([one.model_copy(update={"duration": None}) for one in kind] for kind in (facts.video, facts.audio))
    return facts.model_copy(update={"duration": None, "video": video, "audio": audio})
