"""Asks ffprobe about delivered files, as a stranger would."""

import json
import subprocess
from pathlib import Path
from typing import Any

from omkt_pipeline.media.tools import Tools


def streams(path: Path, tools: Tools, *more: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _ask(path, tools, "-show_streams", *more)["streams"]
    return found


def key_frame_times(path: Path, tools: Tools) -> list[float]:
    packets = _ask(path, tools, "-select_streams", "v:0", "-show_entries", "packet=pts_time,flags")["packets"]
    return [round(float(packet["pts_time"]), 3) for packet in packets if "K" in packet["flags"]]


def packet_count(path: Path, tools: Tools) -> int:
    return len(_ask(path, tools, "-show_entries", "packet=pts_time")["packets"])


def first_frame(path: Path, tools: Tools) -> dict[str, Any]:
    found: dict[str, Any] = _ask(path, tools, "-select_streams", "v:0", "-show_frames", "-read_intervals", "%+#1")[
        "frames"
    ][0]
    return found


def frame_types(path: Path, tools: Tools) -> list[str]:
    """The kinds of the pictures that can be decoded: I, P, B."""
    frames = _ask(path, tools, "-select_streams", "v:0", "-show_entries", "frame=pict_type")["frames"]
    return [str(frame["pict_type"]) for frame in frames]


def captioned_frames(path: Path, tools: Tools) -> int:
    """How many pictures have closed captions inside them."""
    frames = _ask(path, tools, "-select_streams", "v:0", "-show_frames")["frames"]
    return sum(
        any("Closed Captions" in side["side_data_type"] for side in frame.get("side_data_list", ())) for frame in frames
    )


def heard(path: Path, tools: Tools, *words: str) -> memoryview:
    """The sound, decoded to 16 bits; `words` say what is done to it before."""
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(path), *words, "-f", "s16le", "-"]
    return memoryview(subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout).cast("h")


def first_pixel(path: Path, tools: Tools, x: int, y: int) -> tuple[int, int, int]:
    """Red, green and blue of one pixel of the first frame."""
    words = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(path), "-frames:v", "1"]
    words += ["-vf", f"crop=2:2:{x}:{y}", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    red, green, blue = subprocess.run(words, check=True, capture_output=True, timeout=60).stdout[:3]
    return red, green, blue


def _ask(path: Path, tools: Tools, *words: str) -> Any:
    argv = [str(tools.ffprobe), "-v", "error", "-of", "json", *words, str(path)]
    return json.loads(subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout)


def decoded_times(path: Path, tools: Tools) -> list[str]:
    """When each picture of a file is shown, as a decoder tells."""
    argv = [
        str(tools.ffprobe),
        "-v",
        "error",
        "-select_streams",
        "v",
        "-show_entries",
        "frame=pts_time",
        "-of",
        "csv=p=0",
    ]
    shown = subprocess.run([*argv, str(path)], check=True, capture_output=True, text=True, timeout=60).stdout
    return [line.rstrip(",") for line in shown.split()]  # a comma follows where a frame has side data


def first_sound(path: Path, tools: Tools) -> float:
    samples = heard(path, tools, "-ac", "1", "-ar", "48000")
    return next(number for number, sample in enumerate(samples) if abs(sample) > 3000) / 48000


def first_light(path: Path, tools: Tools) -> int:
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(path), "-vf", "scale=1:1", "-pix_fmt", "gray"]
    levels = subprocess.run([*argv, "-f", "rawvideo", "-"], check=True, capture_output=True, timeout=60).stdout
    return next(number for number, level in enumerate(levels) if level > 128)


def said(path: Path, tools: Tools) -> dict[str, Any]:
    argv = [
        str(tools.ffprobe),
        "-v",
        "error",
        "-show_format",
        "-show_streams",
        "-show_chapters",
        "-of",
        "json",
        str(path),
    ]
    return dict(json.loads(subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout))
