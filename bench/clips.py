"""The twelve files that the farm benchmarks transcode: different parts of real clips, cut once."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from bench.report import ROOT

from omkt_pipeline.media.tools import Tools

COUNT = int(os.environ.get("OMKT_BENCH_FILES", "12"))
SECONDS = float(os.environ.get("OMKT_BENCH_CLIP_SECONDS", "12"))


def source_folder() -> Path:
    """Where the real clips lie: OMKT_BENCH_CLIPS, else the media beside the repository, else the demo's clip."""
    named = os.environ.get("OMKT_BENCH_CLIPS")
    shared = ROOT.parent / "shared" / "media" / "bench"
    return Path(named) if named else shared if shared.is_dir() else ROOT / "demo"


def clips(tools: Tools) -> Path:
    """The folder with the files. Parts of the clips at even distances, their streams copied."""
    sources = sorted(source_folder().glob("*.mp4"))
    lengths = [_length(source, tools) for source in sources]
    name = "-".join([str(COUNT), f"{SECONDS:g}", *(f"{source.stem}-{source.stat().st_size}" for source in sources)])
    folder = Path(tempfile.gettempdir()) / "omkt-bench-clips" / name
    if folder.is_dir():
        return folder
    part = folder.with_name(f"{name}.part")
    part.mkdir(parents=True, exist_ok=True)
    for number in range(COUNT):
        at = sum(lengths) * number / COUNT
        which = 0
        while at >= lengths[which]:
            at -= lengths[which]
            which += 1
        begin = max(0.0, min(at, lengths[which] - SECONDS))
        _cut(sources[which], begin, part / f"clip{number:02d}.mp4", tools)
    for path in (part, *part.iterdir(), part.parent):
        path.chmod(path.stat().st_mode | 0o055 if path.is_dir() else 0o644)
    part.rename(folder)
    return folder


def _length(path: Path, tools: Tools) -> float:
    words = ["-v", "error", "-show_entries", "format=duration", "-of", "json", str(path)]
    answer = subprocess.run([tools.ffprobe, *words], check=True, capture_output=True).stdout
    return float(json.loads(answer)["format"]["duration"])


def _cut(source: Path, begin: float, target: Path, tools: Tools) -> None:
    words = ["-nostdin", "-y", "-v", "error", "-ss", f"{begin:.3f}", "-i", str(source), "-t", f"{SECONDS:g}"]
    how = ["-map", "0:v:0", "-map", "0:a:0?", "-c", "copy", "-avoid_negative_ts", "make_zero"]
    subprocess.run([tools.ffmpeg, *words, *how, str(target)], check=True)
