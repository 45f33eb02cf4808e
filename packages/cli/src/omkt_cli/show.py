"""Jobs, presets and what was made, as tables and trees."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from omkt_cli.terminal import one_line
from omkt_client.models import Job, Output, Preset

_STYLES = {"succeeded": "green", "failed": "red", "running": "cyan", "cancelled": "yellow", "expired": "dim"}


def job_table(jobs: Sequence[Job]) -> Table:
    """One line for each job."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    # What a narrow terminal cuts is at the end of the line.
    for heading, least in (("job", 26), ("state", 9), ("done", 4), ("created", 16), ("source", 6), ("presets", 6)):
        table.add_column(heading, no_wrap=True, overflow="ellipsis", min_width=least)
    for job in jobs:
        table.add_row(
            job.id,
            Text(job.state, style=_STYLES.get(job.state, "")),
            f"{job.progress:.0%}",
            f"{job.created_at:%Y-%m-%d %H:%M}",
            Text(one_line(job.name)),
            Text(" ".join(job.presets)),
        )
    return table


def job_card(job: Job) -> Tree:
    """All of one job."""
    title = Text.assemble(
        ("job ", "dim"), job.id, "  ", (job.state, _STYLES.get(job.state, "")), f"  {one_line(job.name)}"
    )
    tree = Tree(title, guide_style="dim")
    if not job.is_final:
        tree.add(Text(f"{job.stage or 'waiting'}, {job.progress:.0%}"))
    if job.error:
        tree.add(Text(one_line(str(job.error)), style="red"))
    for warning in job.warnings:
        tree.add(Text(f"warning: {one_line(warning)}", style="yellow"))
    for output in job.outputs:
        _add_output(tree, output, None)
    return tree


def made_tree(job: Job, places: Mapping[str, Path]) -> Tree:
    """What a job made, and where it lies now."""
    tree = Tree(Text(one_line(job.name), style="bold"), guide_style="dim")
    for output in job.outputs:
        _add_output(tree, output, places.get(output.preset))
    return tree


def preset_table(presets: Sequence[Preset]) -> Table:
    """One line for each preset."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("preset", "kind", "what it makes"):
        table.add_column(heading, no_wrap=heading != "what it makes")
    for preset in presets:
        table.add_row(*(Text(one_line(words)) for words in (preset.id, preset.kind, preset.title)))
    return table


def _add_output(tree: Tree, output: Output, place: Path | None) -> None:
    head = Text.assemble((one_line(output.preset), "bold"))
    if output.bytes is not None:
        head.append(f"  {size(output.bytes)}", style="cyan")
    if output.state != "published":
        head.append(f"  {output.state}", style=_STYLES.get(output.state, "dim"))
    if place is not None:
        head.append(f"  {one_line(str(place))}", style="dim")
    branch = tree.add(head)
    for line in contents(output.result or {}):
        branch.add(Text(one_line(line)))


def contents(result: Mapping[str, Any]) -> list[str]:
    """What is inside an output, a line each: pictures by size, sound, stills."""
    lines = [
        f"{made['width']}x{made['height']}{_rate(made)}"
        for made in result.get("renditions") or ()
        if "width" in made and "height" in made
    ]
    for sound in result.get("audio") or ():
        channels = {1: "mono", 2: "stereo"}.get(sound.get("channels"), f"{sound.get('channels')} channels")
        lines.append(f"sound, {str(sound.get('codec', '')).upper()} {channels}{_rate(sound)}")
    images = result.get("images") or ()
    if images:
        first = images[0]
        sized = f" of {first['width']}x{first['height']}" if "width" in first else ""
        lines.append(f"{len(images)} {'images' if len(images) > 1 else 'image'}{sized}")
    return lines


def _rate(made: Mapping[str, Any]) -> str:
    bits = made.get("bitrate")
    if not isinstance(bits, int | float):
        return ""
    return f", {bits / 1e6:.1f} Mbit/s" if bits >= 1e6 else f", {bits / 1e3:.0f} kbit/s"


def size(amount: int) -> str:
    """A number of bytes for people."""
    value = float(amount)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable")
