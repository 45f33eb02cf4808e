"""What an account may use: bytes on the share, bytes of one upload, minutes of source in a day.

How many tasks it may run at once is the claim's to keep: queue/limits.py.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import account, job, media, output
from omkt_pipeline.db.types import now_plus
from omkt_pipeline.domain.account import Quotas
from omkt_pipeline.domain.errors import Refused
from omkt_pipeline.domain.job import OutputState, SourceKind

_DAY = 86400.0


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What an account uses of them."""

    original_bytes: int
    result_bytes: int
    minutes_today: float  #: of source, in jobs of the last 24 hours

    @property
    def bytes(self) -> int:
        return self.original_bytes + self.result_bytes


def usage_of(database: Database, account_id: int) -> Usage:
    """What an account uses. Reads all its media and outputs."""
    return database.fetch(
        lambda connection: Usage(
            original_bytes=_original_bytes(connection, account_id),
            result_bytes=_result_bytes(connection, account_id),
            minutes_today=minutes_today(connection, account_id),
        )
    )


def demand_quota(database: Database, account_id: int, quotas: Quotas, more_bytes: int = 0) -> None:
    """Raise Refused (quota_storage) when an account may not store so much more. Costs nothing where there is no quota."""
    if quotas.max_bytes is None:
        return
    used = usage_of(database, account_id).bytes
    if used >= quotas.max_bytes or used + more_bytes > quotas.max_bytes:
        raise Refused(
            f"Your account may store {quotas.max_bytes} bytes and has {used}. Delete media, or ask the operator for more.",
            code="quota_storage",
        )


def demand_upload(database: Database, account_id: int, quotas: Quotas, size: int) -> None:
    """The same for an upload of a size, which may be 0 where it is not known. Raises Refused (quota_upload, quota_storage)."""
    if quotas.max_upload_bytes is not None and size > quotas.max_upload_bytes:
        raise Refused(f"Your account may upload {quotas.max_upload_bytes} bytes at a time.", code="quota_upload")
    demand_quota(database, account_id, quotas, size)


def over_the_day(connection: Connection, account_id: int, minutes: float) -> float | None:
    """The account's daily limit when so many more minutes exceed it; else None."""
    limit = connection.execute(select(account.c.max_daily_minutes).where(account.c.id == account_id)).scalar()
    if limit is None or minutes_today(connection, account_id) + minutes <= limit:
        return None
    return float(limit)


def minutes_today(connection: Connection, account_id: int) -> float:
    """Minutes of source in an account's jobs of the last 24 hours."""
    question = select(func.sum(job.c.minutes)).where(job.c.account_id == account_id, job.c.created_at > now_plus(-_DAY))
    return float(connection.execute(question).scalar() or 0.0)


def _original_bytes(connection: Connection, account_id: int) -> int:
    question = select(func.sum(media.c.bytes)).where(
        media.c.account_id == account_id, media.c.path.is_not(None), media.c.source_kind != SourceKind.PATH
    )
    return int(connection.execute(question).scalar() or 0)


def _result_bytes(connection: Connection, account_id: int) -> int:
    question = (
        select(func.sum(output.c.bytes))
        .join(job, job.c.id == output.c.job_id)
        .where(job.c.account_id == account_id, output.c.state == OutputState.PUBLISHED)
    )
    return int(connection.execute(question).scalar() or 0)
