"""What a whole source measures: loudness, black borders, black and silent stretches, changes of scene. Decodes it once."""

from pathlib import Path

from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.media import Crop, Measures, MediaFacts
from omkt_pipeline.media.encode_argv import begin
from omkt_pipeline.media.loudness import MEASURE, read_loudness
from omkt_pipeline.media.source import opened
from omkt_pipeline.media.tools import Tools

#: Entries of a list that are kept: a film has some thousand scenes.
_MOST = 5000
#: Each line in one piece: three filters and ffmpeg itself write into the same pipe.
_PRINT = "file=-:direct=1"
#: Four pictures a second are enough for borders and for black that one notices.
_SLOW = f"fps=4,cropdetect=limit=24/255:round=2:reset=0,blackdetect=d=0.5,metadata=print:{_PRINT}"
#: A change of scene is one on a small picture, too.
_SCENES = f"scale=320:-2,scdet=threshold=10,metadata=print:key=lavfi.scd.time:{_PRINT}"
_SOUND = f"silencedetect=n=-50dB:d=1,ametadata=print:{_PRINT},{MEASURE}"


def measures_argv(facts: MediaFacts, source: Path, *, tools: Tools, limits: Limits, threads: int) -> list[str]:
    """Look at the first picture and hear the first sound of a source, each to its end."""
    chains: list[str] = []
    outputs: list[str] = []
    if facts.video:
        chains.append(f"[0:{facts.video[0].index}]split=2[slow][all];[slow]{_SLOW}[p];[all]{_SCENES}[s]")
        outputs += ["p", "s"]
    if facts.audio:
        chains.append(f"[0:{facts.audio[0].index}]{_SOUND}[a]")
        outputs.append("a")
    mapped = [word for name in outputs for word in ("-map", f"[{name}]", "-f", "null", "-")]
    return [
        *begin(tools), "-loglevel", "info", "-threads", str(threads), *opened(source, facts.demuxer, limits),
        "-filter_complex_threads", str(threads), "-filter_complex", ";".join(chains), *mapped,
    ]  # fmt: skip


class Reading:
    """Reads what the filters print, line by line."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}
        self._lists: dict[str, list[float]] = {}

    def take(self, line: str) -> None:
        """Read one line; others are passed over."""
        name, _, value = line.strip().partition("=")
        if not name.startswith("lavfi."):
            return
        try:
            number = float(value)
        except ValueError:
            return
        self._said[name] = number
        if name.endswith(("_start", "_end", "scd.time")):
            seen = self._lists.setdefault(name, [])
            if len(seen) < _MOST:
                seen.append(round(number, 3))

    def result(self, said: str, *, duration: float | None) -> Measures:
        """What was measured; `said` is the end of ffmpeg's other words, which tell the loudness."""
        return Measures(
            loudness=read_loudness(said),
            crop=self._crop(),
            black=self._stretches("black", duration),
            silence=self._stretches("silence", duration),
            scenes=tuple(self._lists.get("lavfi.scd.time", ())),
        )

    def _crop(self) -> Crop | None:
        found = {side: int(self._said.get(f"lavfi.cropdetect.{side}", 0)) for side in ("x", "y", "w", "h")}
        if found["w"] <= 0 or found["h"] <= 0:
            return None  # black all the way
        return Crop(x=found["x"], y=found["y"], width=found["w"], height=found["h"])

    def _stretches(self, what: str, duration: float | None) -> tuple[tuple[float, float], ...]:
        starts, ends = (self._lists.get(f"lavfi.{what}_{edge}", []) for edge in ("start", "end"))
        # What lasts to the end of the source has no end of its own.
        last = [duration if duration is not None else starts[-1]] if len(starts) > len(ends) else []
        return tuple(zip(starts, [*ends, *last], strict=False))
