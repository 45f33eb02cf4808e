"""docs/operations.md, to be followed: its commands as they stand, on the hosts that it names."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.farm.farm import ROOT, Farm
from tests.farm.host import CHECKOUT, Host

RUNBOOK = ROOT / "docs" / "operations.md"
_FENCE = "```"
_OPENS = f"{_FENCE}sh on "
_EVERY = "every host"


@dataclass(frozen=True)
class Step:
    """Commands that a person types on one host, or on each."""

    host: str
    commands: str


def steps(heading: str, runbook: Path = RUNBOOK) -> list[Step]:
    """The steps of one chapter, in their order. Raises ValueError when there is no such chapter or no step in it."""
    _, _, rest = runbook.read_text().partition(f"\n## {heading}\n")
    chapter, _, _ = rest.partition("\n## ")
    found = []
    for block in chapter.split(_OPENS)[1:]:
        host, _, body = block.partition("\n")
        found.append(Step(host=host, commands=body.partition(f"\n{_FENCE}")[0]))
    if not found:
        raise ValueError(f"{runbook} has no steps under {heading!r}")
    return found


def take(farm: Farm, step: Step, words: Mapping[str, str]) -> None:
    """Type the commands of a step, with this farm's names in the place of the runbook's (`words`), up to one that fails."""
    commands = step.commands.replace("sudo ", "")  # who sits at a guest is root
    for written, here in words.items():
        commands = commands.replace(written, here)
    for host in _hosts(farm, step, words):
        host.guest.sh(f"set -e; cd {CHECKOUT}\n{commands}", seconds=1200)


def follow(farm: Farm, heading: str, words: Mapping[str, str]) -> None:
    for step in steps(heading):
        take(farm, step, words)


def _hosts(farm: Farm, step: Step, words: Mapping[str, str]) -> list[Host]:
    if step.host == _EVERY:
        return farm.hosts
    if step.host == farm.main.name:
        return [farm.main]
    return [farm.secondaries[words.get(step.host, step.host)]]
