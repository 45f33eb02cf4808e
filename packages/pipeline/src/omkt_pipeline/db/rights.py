"""Users of the database server, for the roles of the main host and for single hosts, each with its rights and no more."""

import hashlib
import secrets
from collections.abc import Sequence

from sqlalchemy import Connection, text

from omkt_pipeline.db.engine import Database, translated
from omkt_pipeline.db.roles import RIGHTS, Role
from omkt_pipeline.domain.errors import Refused
from omkt_pipeline.domain.host import checked_name

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
    _make(database, user, password, Role.WORKER)
    return user, password


def make_role_user(database: Database, role: Role, password: str) -> str:
    """Make the user of a role on the main host, or give the one that is there this password and the rights of this version.

    Returns its name. `database` as for `make_worker_user`; raises Refused when the server does not allow it.
    """
    user = f"omkt-{role}"
    _make(database, user, password, role)
    return user


def renew_rights(database: Database, users: Sequence[str]) -> None:
    """Give the users of all hosts what a worker of this version needs: its tables may have grown.

    Raises Refused when the server does not allow it.
    """
    with translated(), database.engine.connect() as connection:
        _require_right(connection)
        for user in users:
            _grant(connection, database.url.database or "", user, Role.WORKER)


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


def _make(database: Database, user: str, password: str, role: Role) -> None:
    given = {"user": user, "password": password}
    with translated(), database.engine.connect() as connection:
        _require_right(connection)
        connection.execute(text("CREATE USER IF NOT EXISTS :user@'%' IDENTIFIED BY :password"), given)
        connection.execute(text("ALTER USER :user@'%' IDENTIFIED BY :password"), given)
        _grant(connection, database.url.database or "", user, role)


def _grant(connection: Connection, schema: str, user: str, role: Role) -> None:
    for table, rights in RIGHTS[role].items():
        connection.execute(text(f"GRANT {rights} ON {_quoted(schema)}.{_quoted(table)} TO :user@'%'"), {"user": user})


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
