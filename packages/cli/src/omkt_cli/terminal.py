"""Writing to the terminal: results to stdout, everything about the way there to stderr."""

import json
from functools import cache
from typing import Any

from rich.console import Console
from rich.text import Text

_PIPE_WIDTH = 10_000


@cache
def out() -> Console:
    """Where results go. Rich honours NO_COLOR and writes plain text when this is no terminal."""
    console = Console(highlight=False, soft_wrap=True)
    # A pipe has no edge at which a table would have to be cut.
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=_PIPE_WIDTH)


@cache
def notes() -> Console:
    """Where progress and remarks go."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(words: str, style: str = "") -> None:
    """A remark."""
    notes().print(Text(printable(words), style=style))


def result(words: str, style: str = "") -> None:
    """A line of the result."""
    out().print(Text(printable(words), style=style))


def print_json(value: Any) -> None:
    """The result for machines."""
    print(json.dumps(value, ensure_ascii=False, indent=2))  # noqa: T201 - as it is, without a console's wrapping


def printable(words: str) -> str:
    """Words that cannot move the cursor or change colours: names of files and errors come from strangers."""
    return "".join(
        character if character.isprintable() or character == "\n" else f"\\x{ord(character):02x}"
        for character in words.encode(errors="replace").decode()
    )


def one_line(words: str) -> str:
    """The same for a table's cell."""
    return printable(words).replace("\n", "\\n")
