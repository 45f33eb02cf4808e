"""What the courier does for clients of the original's API, put together."""

import structlog

from omkt_api.notify import DeliveryResult
from omkt_api.outside import Outside
from omkt_api.wire.announcer import Announcement, announce
from omkt_api.wire.callbacks import joined, tell
from omkt_api.wire.cron import WebCron
from omkt_api.wire.mail import Mailer
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.task import Task
from omkt_pipeline.queue.outbox import DueMessage
from omkt_pipeline.queue.wire.clients import disable_inactive
from omkt_pipeline.queue.wire.telling import secret_for
from omkt_pipeline.settings import WireSettings
from omkt_pipeline.worker import Chore

log = structlog.get_logger(__name__)

_LOCAL_URL = "http://127.0.0.1:8080"
_DAY = 86400.0


class WireCourier:
    """Callbacks, mails, web-cron, and the clients' secret with what is fetched from them."""

    def __init__(self, database: Database, outside: Outside, settings: WireSettings) -> None:
        self._database, self._outside, self._settings = database, outside, settings
        base = (settings.public_url or _LOCAL_URL).rstrip("/")
        self._mailer = Mailer(database, settings, base)
        self._cron = WebCron(database, outside, parallel=settings.wire_cron_parallel)

    def tell(self, message: DueMessage) -> DeliveryResult:
        """Deliver a message of the wire: a mail, or a callback."""
        if message.topic.startswith("wire.mail."):
            return self._mailer.send(message)
        return tell(self._database, self._outside, message)

    def address_of(self, task: Task) -> str:
        """What to fetch: to a client's own host its secret is presented, as the original does."""
        url = str(task.spec["url"])
        secret = secret_for(self._database, task.job_id, url)
        return joined(url, {"app_key": secret}) if secret else url

    def chores(self) -> list[Chore]:
        """What is done by the clock."""
        chores = [
            Chore(name="web_cron", every_seconds=1.0, run=self._cron.work_once),
            Chore(name="inactive", every_seconds=60.0, run=self._disable_inactive),
        ]
        settings = self._settings
        if settings.announce_url and settings.wire_public:
            announcement = Announcement.of(settings)
            chores.append(Chore(name="announce", every_seconds=_DAY, run=lambda: announce(self._outside, announcement)))
        return chores

    def _disable_inactive(self) -> None:
        settings = self._settings
        if disable_inactive(
            self._database, silent_days=settings.wire_silent_days, cron_failing_days=settings.wire_cron_failing_days
        ):
            log.info("a silent client was disabled", event_code="wire_client_disabled")
