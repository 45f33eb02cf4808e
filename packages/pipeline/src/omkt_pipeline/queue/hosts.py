"""Hosts: who is there, what they do, and an operator's orders to them."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import host, task, worker
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.errors import Conflict, NotFound
from omkt_pipeline.domain.host import Host, HostWorker, checked_name, state_of, warnings_for
from omkt_pipeline.domain.task import Pool, TaskState
from omkt_pipeline.queue.naming import DRAINING, LIVING, living_workers

#: A worker that is silent for so long does not keep its host from being removed.
_SILENT_SECONDS = 60.0


def hosts(database: Database) -> list[Host]:
    """All hosts by name, with what their living workers say and do."""
    with database.read() as connection:
        known = connection.execute(select(host).order_by(host.c.name)).all()
        living = connection.execute(select(worker).where(worker.c.state.in_(LIVING)).order_by(worker.c.id)).all()
        held = connection.execute(
            select(task.c.worker_id, task.c.kind, task.c.job_key).where(task.c.state == TaskState.RUNNING)
        ).all()
    return _gathered(known, living, held)


def host_by_name(database: Database, name: str) -> Host:
    """One host. Raises NotFound."""
    found = next((one for one in hosts(database) if one.name == name), None)
    if found is None:
        raise _unknown(name)
    return found


def order(database: Database, name: str, *, drain: bool) -> None:
    """Tell a host to take nothing new, or to work again. It obeys when its workers sign next. Raises NotFound.

    The order stays until it is taken back, whatever becomes of the host's containers.
    """
    wanted = DRAINING if drain else None

    def write(connection: Connection) -> None:
        if connection.execute(select(host.c.name).where(host.c.name == name)).first() is None:
            raise _unknown(name)
        connection.execute(update(host).where(host.c.name == name).values(ordered=wanted))

    database.transact(write)


def invited_users(database: Database) -> list[str]:
    """The users of the database that were made for hosts."""
    wanted = select(host.c.database_user).where(host.c.database_user.is_not(None)).order_by(host.c.name)
    return list(database.fetch(lambda connection: connection.execute(wanted).scalars().all()))


def invite(database: Database, name: str, *, database_user: str) -> None:
    """Enter the name of a host to come, with the database's user that is made for it. Raises Refused for a bad name.

    Again for a host that is known renews its invitation and leaves its work alone.
    """
    checked_name(name)

    def write(connection: Connection) -> None:
        invited: dict[str, Any] = {"database_user": database_user, "invited_at": now()}
        if connection.execute(select(host.c.name).where(host.c.name == name)).first() is None:
            connection.execute(insert(host).values(name=name, **invited))
        else:
            connection.execute(update(host).where(host.c.name == name).values(**invited))

    try:
        database.transact(write)
    except IntegrityError:  # entered by somebody else a moment ago
        database.transact(write)


def remove(database: Database, name: str) -> str | None:
    """Forget a host; return the database's user that was made for it. Raises NotFound, or Conflict while it works."""

    def write(connection: Connection) -> str | None:
        row = connection.execute(select(host).where(host.c.name == name).with_for_update()).first()
        if row is None:
            raise _unknown(name)
        if living_workers(connection, name, within_seconds=_SILENT_SECONDS):
            raise Conflict(
                f"Workers of {name} are alive. Run `docker compose down` on that host first; they finish or give back "
                "what they hold.",
                code="host_alive",
            )
        connection.execute(delete(host).where(host.c.name == name))
        return str(row.database_user) if row.database_user else None

    return database.transact(write)


def _unknown(name: str) -> NotFound:
    return NotFound(f"There is no host named {name[:80]!r}.", code="host_unknown")


def _gathered(known: Any, living: Any, held: Any) -> list[Host]:
    tasks: dict[int, list[str]] = defaultdict(list)
    for row in held:
        tasks[row.worker_id].append(f"{row.kind} {row.job_key}")
    workers: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in living:
        workers[row.host].append(row)
    builds = {
        name: {row.facts["ffmpeg"] for row in rows if (row.facts or {}).get("ffmpeg")} for name, rows in workers.items()
    }
    warnings = warnings_for(builds)
    return [_host(row, workers[row.name], tasks, warnings.get(row.name, ())) for row in known]


def _host(row: Row[Any], rows: list[Row[Any]], tasks: dict[int, list[str]], warnings: tuple[str, ...]) -> Host:
    workers = tuple(
        HostWorker(
            pool=Pool(one.pool),
            state=one.state,
            note=one.note,
            slots=one.slots,
            running=len(tasks[one.id]),
            version=one.version,
            facts=one.facts or {},
            seen_at=one.seen_at,
        )
        for one in rows
    )
    state, note = state_of(workers, drained=row.ordered == DRAINING, joined=row.joined_at is not None)
    return Host(
        name=row.name,
        state=state,
        note=note,
        workers=workers,
        warnings=warnings,
        seen_at=max((one.seen_at for one in workers), default=None),
        tasks=tuple(name for one in rows for name in tasks[one.id]),
    )
