"""The api, killing itself at one step of storing a job: `dying_api.py STEP`. Run as a program by the tests.

The api itself has no failpoints: its one way into the queue is wrapped here.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import omkt_api.submit as verb
from omkt_api.__main__ import main
from omkt_pipeline.db.engine import Database

_submit = verb.jobs.submit


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class _LastStatement(Database):
    """The database of an api that dies after the last statement of its transaction."""

    def __init__(self, real: Database) -> None:
        self.__dict__ = real.__dict__

    def transact(self, work: Callable[..., Any], **options: Any) -> Any:
        return super().transact(lambda connection: (work(connection), die()), **options)


def before_the_commit() -> None:
    verb.jobs.submit = lambda database, *rest: _submit(_LastStatement(database), *rest)


def after_the_commit() -> None:
    def submit(*all_of_it: Any) -> None:
        _submit(*all_of_it)
        die()

    verb.jobs.submit = submit  # type: ignore[assignment]


STEPS = {step.__name__: step for step in (before_the_commit, after_the_commit)}

if __name__ == "__main__":
    if len(sys.argv) > 1:
        STEPS[sys.argv[1]]()
    main()
