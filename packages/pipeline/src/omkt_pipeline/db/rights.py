"""Users of the database server for single hosts, with the rights of a worker and no more."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

from omkt_pipeline.db.engine import Database, translated
from omkt_pipeline.domain.errors import Refused
from omkt_pipeline.domain.host import checked_name

#: What metadata and transcoder do with each table. No keys, no uploads, no webhook secrets, nothing of the schema.
WORKER_RIGHTS: Mapping[str, str] = {
    "alembic_version": "SELECT",
    "account": "SELECT (id, weight, max_daily_minutes)",
    "artifact": "SELECT, INSERT, DELETE",
    "event": "SELECT (id), INSERT",
    "fair_share": "SELECT, UPDATE",
    "farm": "SELECT (id, farm_id, exports, exports_at, oldest_revision, paused)",
    "host": "SELECT, INSERT, UPDATE",
    "job": "SELECT, UPDATE",
    "media": "SELECT, UPDATE",
    "outbox": "SELECT, INSERT",
    "output": "SELECT, INSERT, UPDATE",
    "preset": "SELECT",
    "task": "SELECT, INSERT, UPDATE",
    "task_attempt": "SELECT, INSERT, UPDATE",
    "task_edge": "SELECT, INSERT, DELETE",
    "webhook_endpoint": "SELECT (id, account_id, url, topics, enabled)",
    "worker": "SELECT, INSERT, UPDATE",
}
#: The farthest that a server's user name reaches, and what of it may be the host's.
_HOST_PART = 18


def user_for(host: str) -> str:
    """The name of the server's user that is made for a host: readable, and different for different hosts."""
    return f"omkt-{host[:_HOST_PART]}-{hashlib.sha256(host.encode()).hexdigest()[:8]}"


def make_worker_user(database: Database, host: str) -> tuple[str, str]:
    """Make the user of a host anew; return its name and password. Connections that it has go on.

    `database` must be opened as a user who may create users. Raises Refused on SQLite, which has none, and when the server
    does not allow it.
    """
    if database.is_sqlite:
        raise Refused("An embedded farm has no other hosts: its database is a file.", code="no_hosts_here")
    user, password = user_for(checked_name(host)), secrets.token_urlsafe(32)
    schema = database.url.database or ""
    with translated(), database.engine.connect() as connection:
        _require_right(connection)
        connection.execute(text("CREATE USER IF NOT EXISTS :user@'%' IDENTIFIED BY :password"), _given(user, password))
        connection.execute(text("ALTER USER :user@'%' IDENTIFIED BY :password"), _given(user, password))
        _grant(connection, schema, user)
    return user, password


def renew_rights(database: Database, users: Sequence[str]) -> None:
    """Give the users of all hosts what a worker of this version needs: its tables may have grown.

    Raises Refused when the server does not allow it.
    """
    with translated(), database.engine.connect() as connection:
        _require_right(connection)
        for user in users:
            _grant(connection, database.url.database or "", user)


def drop_user(database: Database, user: str) -> None:
    """Remove a host's user, who may be gone already. Raises Refused when the server does not allow it."""
    with translated(), database.engine.connect() as connection:
        _require_right(connection)
        connection.execute(text("DROP USER IF EXISTS :user@'%'"), {"user": user})


def require_administrator(database: Database) -> None:
    """Raise Refused, with what to run, unless this connection may make and remove users."""
    with translated(), database.engine.connect() as connection:
        _require_right(connection)


def _require_right(connection: Connection) -> None:
    grants = [str(row[0]).upper() for row in connection.execute(text("SHOW GRANTS"))]
    if not any(" ON *.* " in grant and ("CREATE USER" in grant or "ALL PRIVILEGES" in grant) for grant in grants):
        raise Refused(
            "This needs the database's root, who makes users for hosts: on the main host, "
            "`docker compose run --rm admin hosts …`.",
            code="admin_only",
        )


def _grant(connection: Connection, schema: str, user: str) -> None:
    for table, rights in WORKER_RIGHTS.items():
        connection.execute(text(f"GRANT {rights} ON {_quoted(schema)}.{_quoted(table)} TO :user@'%'"), {"user": user})


def _given(user: str, password: str) -> dict[str, str]:
    return {"user": user, "password": password}


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
