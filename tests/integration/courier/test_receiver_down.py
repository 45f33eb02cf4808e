"""Fault 38: a receiver of webhooks is out of order for an hour, in every way. Afterwards it has each event, under one id."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.integration.courier.test_notify import answer

from omkt_api.notify import Notifier
from omkt_api.outside import Outside
from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.migrate import upgrade
from omkt_pipeline.db.tables import outbox
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.job import Callback
from omkt_pipeline.queue.jobs import cancel
from omkt_pipeline.queue.outbox import MessageState, Outbox
from omkt_pipeline.testing import a_job, an_account

EVENTS = 12
HOUR = timedelta(hours=1)
OPEN = (MessageState.DUE, MessageState.SENDING)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/farm.db")
    upgrade(database)
    yield database
    database.close()


class Clock:
    """Time that passes when nothing is due: what is waited for comes nearer by as much."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.passed = timedelta()

    def go_to_the_next(self) -> bool:
        """Let the time pass until a message is due; return whether there is one."""

        def shift(connection: Any) -> timedelta | None:
            waiting = connection.execute(select(outbox.c.id, outbox.c.run_at).where(outbox.c.state.in_(OPEN))).all()
            if not waiting:
                return None
            today = connection.execute(select(now())).scalar_one()
            step = max(min(row.run_at for row in waiting) - today, timedelta())
            for row in waiting:
                connection.execute(update(outbox).where(outbox.c.id == row.id).values(run_at=row.run_at - step))
            return step

        step = self._database.transact(shift)
        self.passed += step or timedelta()
        return step is not None


def test_after_an_hour_out_of_order_a_receiver_has_every_event_once(
    database: Database, outside: Outside, serve: Callable[..., Any]
) -> None:
    clock = Clock(database)
    troubles = itertools.cycle(
        [answer("500 Oops"), answer("302 Found", Location="http://127.0.0.1:9/"), answer("429 Slowly"), lambda _: []]
    )
    taken: list[tuple[str, str]] = []

    def script(request: dict[str, str]) -> Iterable[bytes]:
        if clock.passed < HOUR:
            return next(troubles)(request)
        taken.append((request["webhook-id"], request[":body"]))
        return answer("204 No Content")(request)

    receiver = serve(script)
    account = an_account(database)
    for _ in range(EVENTS):
        cancel(database, account, a_job(database, account, callback=Callback(url=f"{receiver.url}/hook")))

    notifier = Notifier(outbox=Outbox(database), outside=outside)
    while clock.go_to_the_next():
        while notifier.work_once():
            pass
    notifier.close()

    sent = Counter(request["webhook-id"] for request in receiver.requests)
    assert len(taken) == len({identity for identity, _ in taken}) == EVENTS
    assert len({body for _, body in taken}) == EVENTS
    assert set(sent) == {identity for identity, _ in taken}, "an event kept its id"
    assert all(3 < tries < 12 for tries in sent.values()), "patiently, and not for ever"
    assert HOUR <= clock.passed < 4 * HOUR
