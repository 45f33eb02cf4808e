"""quality: what a film costs when it is encoded in chunks, at equal quality, against encoding it whole.

Bjøntegaard's difference of rates (ITU-T VCEG-M33), with straight lines between the points instead of a polynomial: at each
quality that both reach, how many more bits the one needs, on average.
"""

import math
import re
import subprocess
import tempfile
from bisect import bisect_left
from pathlib import Path

import httpx
from bench.contest import answer, ended, upload
from bench.films import film_of
from bench.report import Figure, report

from omkt_cli.farm.embedded import embedded_farm
from omkt_cli.farm.place import Place
from omkt_pipeline.media.tools import Tools, find_tools

SECONDS = 120
_LINES = 480
_QUALITIES = (18, 22, 26, 30)
#: The shortest chunks that an operator is likely to ask for, and a film that stays whole.
_CHUNKED, _WHOLE = 15.0, 10_000.0
_STEPS = 100
_SAID = {"xpsnr": re.compile(r"XPSNR\s+y: ([\d.]+)"), "ssim": re.compile(r"SSIM Y:[\d.]+ \(([\d.]+)\)")}
Curve = list[tuple[float, float]]


def run() -> None:
    """The same film by two farms, one of which does not cut."""
    tools = find_tools()
    metric = "xpsnr" if "xpsnr" in tools.metrics else "ssim"
    with tempfile.TemporaryDirectory(prefix="omkt-bench-") as folder:
        root = Path(folder)
        film = film_of(root / "film", tools, lines=_LINES, seconds=SECONDS)
        chunked, chunks = _curve(film, root / "chunked", _CHUNKED, tools, metric)
        whole, one = _curve(film, root / "whole", _WHOLE, tools, metric)
    if chunks < SECONDS / _CHUNKED / 2 or one > 2:
        raise RuntimeError(f"nothing is compared: {chunks} encodes against {one}")
    more = 100 * difference_of_rates(whole, chunked)
    report(
        "quality",
        [
            Figure(
                name=f"bits at equal {metric.upper()}, in chunks against whole, more by",
                value=more,
                unit=" %",
                at_most=1,
            ),
        ],
        {
            "encodes": [chunks, one],
            "chunked": chunked,
            "whole": whole,
            "seconds": SECONDS,
            "lines": _LINES,
            "ffmpeg": tools.version,
        },
    )


def difference_of_rates(reference: Curve, other: Curve) -> float:
    """How many more bits `other` needs than `reference` at the same quality, as a part of them; points are (bits, dB)."""
    low = max(min(quality for _, quality in one) for one in (reference, other))
    high = min(max(quality for _, quality in one) for one in (reference, other))
    places = [low + (high - low) * step / _STEPS for step in range(_STEPS + 1)]
    logs = [_log_rate(other, at) - _log_rate(reference, at) for at in places]
    return math.exp(sum(logs) / len(logs)) - 1


def _log_rate(curve: Curve, quality: float) -> float:
    points = sorted((at, math.log(bits)) for bits, at in curve)
    right = min(max(1, bisect_left(points, (quality, -math.inf))), len(points) - 1)
    (begin, low), (end, high) = points[right - 1], points[right]
    return low + (high - low) * (quality - begin) / (end - begin)


def _curve(film: Path, folder: Path, chunk_seconds: float, tools: Tools, metric: str) -> tuple[Curve, int]:
    """Size and quality of one film at several qualities, and the least number of its encodes."""
    with (
        embedded_farm(Place(folder), port=0) as farm,
        httpx.Client(
            base_url=farm.url, headers={"Authorization": f"Bearer {farm.key}"}, timeout=60, trust_env=False
        ) as client,
    ):
        answer(client.patch("/v1/farm/settings", json={"chunk_min_seconds": chunk_seconds}))
        source, points, tasks = upload(client, film), [], []
        for crf in _QUALITIES:
            rungs = [{"size": _LINES, "crf": crf, "max_kbps": 20000}]
            asked = {"id": f"crf-{crf}", "preset": "mp4-480p", "settings": {"video": {"rungs": rungs}}}
            job = answer(client.post("/v1/jobs", json={"source": {"upload": source}, "presets": [asked]}))["id"]
            ended(client, job)
            made = folder / f"{crf}.mp4"
            made.write_bytes(client.get(f"/v1/jobs/{job}/outputs/crf-{crf}/files/video.mp4").content)
            points.append((_bits(made, tools), _quality(made, film, tools, metric)))
            tasks.append(sum(task["kind"] == "encode" for task in answer(client.get(f"/v1/jobs/{job}/tasks"))["tasks"]))
    return points, min(tasks)


def _bits(made: Path, tools: Tools) -> float:
    """Bits of the picture alone."""
    words = ["-v", "error", "-select_streams", "v", "-show_entries", "packet=size", "-of", "csv=p=0"]
    said = subprocess.run([str(tools.ffprobe), *words, str(made)], check=True, capture_output=True, text=True).stdout
    return 8.0 * sum(int(line.rstrip(",")) for line in said.split())


def _quality(made: Path, film: Path, tools: Tools, metric: str) -> float:
    """dB of the brightness, over all frames."""
    compared = ["-i", str(made), "-i", str(film), "-lavfi", f"[0:v][1:v]{metric}", "-f", "null", "-"]
    argv = [str(tools.ffmpeg), "-hide_banner", "-nostdin", *compared]
    said = subprocess.run(argv, check=True, capture_output=True, text=True).stderr
    return float(_SAID[metric].findall(said)[-1])
