"""The programs that call the original's API: a bounded register, and those that the operator refuses."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables.wire import wire_application
from omkt_pipeline.db.types import now, now_plus

#: Anybody can invent names; beyond this many, new ones are not written down.
MAX_APPLICATIONS = 1000
#: Stands for all versions of a program.
EVERY_VERSION = "*"
_SEEN_RESOLUTION_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True)
class Application:
    """A program in one version."""

    name: str
    version: str
    denied: bool
    seen_at: datetime


def admit(database: Database, name: str, version: str) -> bool:
    """Whether a program may call; write down that it did. What is longer than the register's columns is cut."""
    name, version = name[:64], version[:32]
    known = select(
        wire_application.c.version,
        wire_application.c.denied,
        (wire_application.c.seen_at < now_plus(-_SEEN_RESOLUTION_SECONDS)).label("stale"),
    ).where(wire_application.c.name == name, wire_application.c.version.in_((version, EVERY_VERSION)))
    rows = database.fetch(lambda connection: connection.execute(known).all())
    if any(row.denied for row in rows):
        return False
    mine = [row for row in rows if row.version == version]
    if not mine or mine[0].stale:
        _note(database, name, version, known=bool(mine))
    return True


def deny(database: Database, name: str, version: str = EVERY_VERSION, *, denied: bool = True) -> None:
    """Refuse a program, or one version of it, from now on; or let it in again."""

    def write(connection: Connection) -> None:
        matched = connection.execute(update(wire_application).where(*_is(name, version)).values(denied=denied)).rowcount
        if not matched and not connection.execute(select(wire_application.c.name).where(*_is(name, version))).first():
            connection.execute(
                insert(wire_application).values(name=name, version=version, denied=denied, seen_at=now())
            )

    database.transact(write)


def applications(database: Database) -> list[Application]:
    """The register, by name and version."""
    question = select(wire_application).order_by(wire_application.c.name, wire_application.c.version)
    rows = database.fetch(lambda connection: connection.execute(question).all())
    return [Application(name=row.name, version=row.version, denied=row.denied, seen_at=row.seen_at) for row in rows]


def _is(name: str, version: str) -> tuple[Any, ...]:
    return wire_application.c.name == name, wire_application.c.version == version


def _note(database: Database, name: str, version: str, *, known: bool) -> None:
    def write(connection: Connection) -> None:
        if known:
            connection.execute(update(wire_application).where(*_is(name, version)).values(seen_at=now()))
        elif connection.execute(select(func.count()).select_from(wire_application)).scalar_one() < MAX_APPLICATIONS:
            connection.execute(insert(wire_application).values(name=name, version=version, denied=False, seen_at=now()))

    with suppress(IntegrityError):  # another call of the same program was faster
        database.transact(write)
