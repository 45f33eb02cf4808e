"""What one would do without a farm: one ffmpeg for each file makes the whole ladder, decoding once.

The command lines are the farm's own, with the renditions going straight into HLS segments. Runs by itself too, so that
it can run inside an image: `python plain.py CLIPS TARGET AT_ONCE THREADS` prints seconds of wall and CPU time.
"""

import json
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.media import SourceFile
from omkt_pipeline.domain.recipe import EncodeAudio, EncodeVideo, encode_spec, singles
from omkt_pipeline.domain.task import TaskKind
from omkt_pipeline.logs import configure_logging
from omkt_pipeline.media.encode_argv import video_argv
from omkt_pipeline.media.probing import probe
from omkt_pipeline.media.sound_argv import audio_argv
from omkt_pipeline.media.tools import Tools, find_tools
from omkt_pipeline.planning.plan import plan_job
from omkt_pipeline.presets import shipped

PRESET = "hls-h264"


def ladder_argv(source: Path, target: Path, *, tools: Tools, threads: int) -> list[str]:
    """One ffmpeg that makes the preset's HLS ladder of a file, with its sound, in `target`."""
    limits = Limits()
    facts, _ = probe(source, tools=tools, limits=limits)
    plan = plan_job(facts, SourceFile(path=str(source), bytes=source.stat().st_size), [shipped()[PRESET]])
    argv: list[str] = []
    recipes = [
        recipe
        for task in plan.tasks
        if task.kind is TaskKind.ENCODE
        for recipe in singles(encode_spec.validate_python(task.spec))
    ]
    for recipe in sorted(
        recipes, key=lambda recipe: recipe.kind, reverse=True
    ):  # the picture first: it opens the source
        if isinstance(recipe, EncodeVideo):
            argv += video_argv(recipe, source, target, tools=tools, limits=limits, threads=threads)
        elif isinstance(recipe, EncodeAudio):
            words = audio_argv(recipe, source, target, tools=tools, limits=limits)
            argv += words[words.index("-map") :]
    return _into_segments(argv, target)


def _into_segments(argv: list[str], target: Path) -> list[str]:
    """Room for the segments that it writes; and what would be an MP4 file in segments too."""
    words: list[str] = []
    for word in argv:
        if word.startswith(f"{target}/") and word.endswith(".m3u8"):
            Path(word).parent.mkdir(parents=True)
        if not word.startswith(f"file:{target}/"):
            words.append(word)
            continue
        folder = Path(word.removeprefix("file:")).with_suffix("")
        folder.mkdir(parents=True)
        del words[-2:]  # -f mp4
        words += ["-f", "hls", "-hls_time", "6", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4"]
        words += ["-hls_flags", "independent_segments", "-hls_segment_filename", f"{folder}/%05d.m4s"]
        words += [f"{folder}/index.m3u8"]
    return words


def measure(clips: Path, target: Path, *, at_once: int, threads: int) -> tuple[float, float]:
    """Transcode all clips; return seconds of wall time and of CPU time. Probing before is not counted."""
    tools = find_tools()
    commands = [
        ladder_argv(clip, target / clip.stem, tools=tools, threads=threads) for clip in sorted(clips.glob("*.mp4"))
    ]
    before, begun = _cpu_of_children(), time.monotonic()
    with ThreadPoolExecutor(at_once) as slots:
        list(slots.map(_run, commands))
    return time.monotonic() - begun, _cpu_of_children() - before


def _run(argv: list[str]) -> None:
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    configure_logging(service="bench", host="bench", level="WARNING")
    wall, cpu = measure(Path(sys.argv[1]), Path(sys.argv[2]), at_once=int(sys.argv[3]), threads=int(sys.argv[4]))
    print(json.dumps({"wall": wall, "cpu": cpu}))
