"""Is the database set so that the queue's promises hold? Asked once at start, refused with a sentence."""

from sqlalchemy import Connection, text

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import Unavailable

#: Variable, the values that will do, and what goes wrong otherwise.
_REQUIRED = (
    ("innodb_flush_log_at_trx_commit", ("1",), "a power loss would take back what was already answered"),
    ("binlog_format", ("ROW", "MIXED"), "SKIP LOCKED is unsafe in statement format"),
)
_REQUIRED_WITH_BINLOG = (("sync_binlog", ("1",), "a power loss could leave log and tables apart"),)


def check_settings(database: Database) -> None:
    """Raise Unavailable (code database_settings) naming every server setting that is wrong, and its cure."""
    if database.is_sqlite:
        return
    faults = database.fetch(_faults)
    if faults:
        raise Unavailable(
            "The database server is not set as the farm needs it: " + "; ".join(faults) + ". "
            "compose/mysql/my.cnf has the right settings.",
            code="database_settings",
        )


def _faults(connection: Connection) -> list[str]:
    variables = {name.lower(): str(value) for name, value in connection.execute(text("SHOW GLOBAL VARIABLES"))}
    required = list(_REQUIRED)
    if variables.get("log_bin", "OFF") in ("ON", "1"):
        required += _REQUIRED_WITH_BINLOG
    faults = [
        f"{name} is {variables[name]}, must be {' or '.join(good)} ({why})"
        for name, good, why in required
        if name in variables and variables[name] not in good
    ]
    version = str(connection.execute(text("SELECT VERSION()")).scalar_one())
    if _version(version) < ((10, 6) if "maria" in version.lower() else (8, 0)):
        faults.append(f"its version is {version}: MySQL 8.4 or MariaDB 10.11 and later have SKIP LOCKED as we need it")
    return faults


def _version(words: str) -> tuple[int, int]:
    major, minor = words.split("-", maxsplit=1)[0].split(".")[:2]
    return int(major), int(minor)
