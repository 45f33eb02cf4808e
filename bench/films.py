"""Films for the benches: natural pictures of the bench clips, one after the other."""

import subprocess
from pathlib import Path

from bench.clips import source_folder

from omkt_pipeline.media.tools import Tools


def film_of(folder: Path, tools: Tools, *, lines: int, seconds: int) -> Path:
    """A film of so many lines and seconds in a new folder, with a sound."""
    folder.mkdir()
    film, listed = folder / "film.mp4", folder / "list.txt"
    clips = sorted(source_folder().glob("*.mp4"))
    listed.write_text("".join(f"file '{clip}'\n" for clip in clips * 30))
    source = ["-f", "concat", "-safe", "0", "-i", str(listed), "-f", "lavfi", "-i", "anoisesrc=a=0.02:r=48000"]
    shape = f"scale={lines * 16 // 9 // 2 * 2}:{lines},setsar=1,fps=25"
    picture = ["-vf", shape, "-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p"]
    both = ["-map", "0:v:0", "-map", "1:a", "-t", str(seconds), *picture, "-c:a", "aac"]
    subprocess.run([str(tools.ffmpeg), "-v", "error", "-nostdin", "-y", *source, *both, str(film)], check=True)
    listed.unlink()
    return film


def part_of(film: Path, target: Path, tools: Tools, *, begin: float, seconds: float) -> None:
    """A part of a film, copied from the key frame at or before its begin."""
    words = ["-v", "error", "-nostdin", "-y", "-ss", f"{begin:g}", "-i", str(film), "-t", f"{seconds:g}", "-c", "copy"]
    subprocess.run([str(tools.ffmpeg), *words, str(target)], check=True)
