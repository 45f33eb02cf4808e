"""Loudness (EBU R 128): measured in a first pass over the whole sound, reached in a second."""

import json
import math

from omkt_pipeline.domain.media import Loudness

#: dBTP that the result stays below, between samples too (EBU R 128 asks for -1; lossy codecs need room).
_PEAK = -1.5
#: Hz at which peaks between the samples of the usual rates are seen (ITU-R BS.1770, annex 2).
_OVERSAMPLED = 192_000
#: dB at most: what needs more is hiss.
_MOST_GAIN = 40.0

#: The filter that measures; its own target changes nothing of that.
MEASURE = "loudnorm=print_format=json"


def gain(measured: Loudness, target: float) -> float:
    """Decibels from what was measured to the target."""
    return round(min(target - measured.integrated, _MOST_GAIN), 2)


def needs_limiter(measured: Loudness, target: float) -> bool:
    """Whether peaks would be too high behind that gain."""
    return measured.true_peak + gain(measured, target) > _PEAK


def read_loudness(said: str) -> Loudness | None:
    """The measured loudness at the end of what ffmpeg said; None for silence, which has none, and when it is not there."""
    begin, end = said.rfind("{"), said.rfind("}")
    try:
        answer = json.loads(said[begin : end + 1])
        names = ("input_i", "input_tp", "input_lra", "input_thresh")
        integrated, peak, spread, threshold = (float(answer[name]) for name in names)
    except (ValueError, KeyError, TypeError):
        return None
    if not all(math.isfinite(value) for value in (integrated, peak, spread, threshold)):
        return None
    return Loudness(integrated=integrated, true_peak=peak, range=spread, threshold=threshold)


def normalised(measured: Loudness, target: float) -> list[str]:
    """Filters that bring a measured sound to its target: one gain for the whole, and a limiter where peaks need one."""
    filters = [f"volume={gain(measured, target)}dB"]
    if needs_limiter(measured, target):
        limiter = f"alimiter=limit={_PEAK}dB:level=false:attack=2:release=60:latency=1"
        filters += [f"aresample={_OVERSAMPLED}", limiter]
    return filters
