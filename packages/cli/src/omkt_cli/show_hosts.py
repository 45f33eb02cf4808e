"""Hosts as tables, cards and JSON."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from omkt_cli.show import size
from omkt_cli.terminal import one_line
from omkt_pipeline.domain.host import Host, HostState

_STYLES = {HostState.UP: "green", HostState.ASIDE: "red", HostState.AWAY: "red", HostState.INVITED: "dim"}
_HEADINGS = ("host", "state", "runs", "slots", "speed", "ffmpeg", "disk free", "seen", "version")


def host_table(hosts: Sequence[Host]) -> Table:
    """One line for each host, and under it what its operator should know."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in _HEADINGS:
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    for host in hosts:
        table.add_row(
            Text(one_line(host.name)),
            Text(host.state, style=_STYLES.get(host.state, "yellow")),
            str(host.running),
            str(host.slots),
            f"{host.speed:.2f}" if host.speed else "",
            Text(one_line(str(host.fact("ffmpeg") or ""))),
            size(host.fact("scratch_free")) if host.fact("scratch_free") else "",
            _ago(host.seen_at),
            Text(one_line(", ".join(sorted({worker.version for worker in host.workers})))),
        )
        for words in (*([host.note] if host.note else []), *host.warnings):
            table.add_row("", Text(one_line(words), style="yellow"))
    return table


def host_card(host: Host) -> Tree:
    """All of one host."""
    tree = Tree(
        Text.assemble(("host ", "dim"), one_line(host.name), "  ", (host.state, _STYLES.get(host.state, "yellow")))
    )
    for words in (*([host.note] if host.note else []), *host.warnings):
        tree.add(Text(one_line(words), style="yellow"))
    for worker in host.workers:
        branch = tree.add(f"{worker.pool.name.lower()}, {worker.state}, {worker.running} of {worker.slots} slots")
        for name, value in sorted(worker.facts.items()):
            if value is not None:
                branch.add(Text(one_line(f"{name}: {value}")))
    for task in host.tasks:
        tree.add(Text(one_line(task)))
    return tree


def host_json(host: Host) -> dict[str, Any]:
    """For machines."""
    return {
        "name": host.name,
        "state": host.state,
        "note": host.note,
        "warnings": list(host.warnings),
        "slots": host.slots,
        "running": host.running,
        "tasks": list(host.tasks),
        "speed": host.speed,
        "seen_at": host.seen_at.isoformat() if host.seen_at else None,
        "workers": [
            {
                "pool": worker.pool.name.lower(),
                "state": worker.state,
                "note": worker.note,
                "slots": worker.slots,
                "running": worker.running,
                "version": worker.version,
                "facts": dict(worker.facts),
                "seen_at": worker.seen_at.isoformat(),
            }
            for worker in host.workers
        ],
    }


def _ago(moment: datetime | None) -> str:
    return f"{max(0, round((datetime.now(UTC) - moment).total_seconds()))} s ago" if moment else "never"
