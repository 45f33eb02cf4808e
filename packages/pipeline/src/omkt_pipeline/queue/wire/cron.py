"""Web-cron: clients of the original have no daemon of their own and live by being called every minute."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, case, null, or_, select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables.wire import wire_client
from omkt_pipeline.db.types import now, now_plus

_DAY = 86400.0
#: A client that works, one that is quiet or whose site fails, and when each is given up. The original's tiers.
OFTEN_SECONDS, SELDOM_SECONDS = 60.0, 1800.0
_ACTIVE_DAYS, _FAILING_DAYS, _GIVEN_UP_DAYS = 31, 7, 31
#: Longer than any call takes: the call of a courier that died is due again after this.
LEASE_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class CronCall:
    """A client to be called now."""

    account_id: int
    url: str
    app_key: str


def claim_due(database: Database, *, limit: int) -> list[CronCall]:
    """Take clients that are due, longest first, so that no other courier calls them too."""

    def take(connection: Connection) -> list[CronCall]:
        rows = connection.execute(
            select(wire_client.c.account_id, wire_client.c.url, wire_client.c.app_key)
            .where(wire_client.c.cron_due_at <= now(), wire_client.c.enabled.is_(True))
            .order_by(wire_client.c.cron_due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        if rows:
            connection.execute(
                update(wire_client)
                .where(wire_client.c.account_id.in_([row.account_id for row in rows]))
                .values(cron_due_at=now_plus(LEASE_SECONDS))
            )
        return [CronCall(account_id=row.account_id, url=row.url, app_key=row.app_key) for row in rows]

    return database.transact(take)


def record(database: Database, call: CronCall, *, ok: bool, seconds: float) -> None:
    """Note how a call ended that took so long, and when the next is due, if ever.

    Beginnings of calls are a minute apart; a site that takes longer is called again at once, never twice at a time.
    """
    answered = now() if ok else wire_client.c.cron_ok_at
    lately = or_(
        wire_client.c.cron_ok_at > now_plus(-_FAILING_DAYS * _DAY),
        wire_client.c.validated_at > now_plus(-_FAILING_DAYS * _DAY),
        # A site that was down for long, whose client has called us since.
        wire_client.c.seen_at > now_plus(-_FAILING_DAYS * _DAY),
    )
    often = and_(wire_client.c.seen_at > now_plus(-_ACTIVE_DAYS * _DAY), lately)
    seldom = or_(
        wire_client.c.cron_ok_at > now_plus(-_GIVEN_UP_DAYS * _DAY),
        wire_client.c.validated_at > now_plus(-_GIVEN_UP_DAYS * _DAY),
        wire_client.c.seen_at > now_plus(-_GIVEN_UP_DAYS * _DAY),
    )
    following = case(
        (often, now_plus(max(0.0, OFTEN_SECONDS - seconds))),
        (seldom, now_plus(max(0.0, SELDOM_SECONDS - seconds))),
        else_=null(),
    )

    def write(connection: Connection) -> None:
        mine = wire_client.c.account_id == call.account_id
        # First the answer, which counts for what comes next.
        connection.execute(update(wire_client).where(mine).values(cron_at=now(), cron_ok_at=answered))
        due = (mine, wire_client.c.enabled.is_(True), wire_client.c.cron_due_at.is_not(None))
        connection.execute(update(wire_client).where(*due).values(cron_due_at=following))

    database.transact(write)
