"""The courier daemon: fetch, notify, expire, and the queue's ticks. Reads settings, builds, runs."""

from omkt_api.expire import Expire, Retention
from omkt_api.exports import ReportExports
from omkt_api.fetch import Fetch, FetchLimits
from omkt_api.guard import OutsidePolicy
from omkt_api.notify import Notifier
from omkt_api.outside import Outside
from omkt_api.strays import Strays
from omkt_api.wire.courier import WireCourier
from omkt_pipeline.daemon import enter, queue_chores, read_settings, run_daemon
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.steering import Steering
from omkt_pipeline.domain.task import Pool, TaskKind
from omkt_pipeline.queue.deadlines import enforce_deadlines
from omkt_pipeline.queue.maintenance import steering
from omkt_pipeline.queue.media import equal_original
from omkt_pipeline.queue.outbox import Outbox
from omkt_pipeline.queue.rescue import promote_aged
from omkt_pipeline.queue.workers import bury
from omkt_pipeline.settings import CourierSettings
from omkt_pipeline.worker import Chore

_DAY = 86400.0
#: Fetches wait for the network, not for cores.
_FETCHES = 4
_SILENT_SECONDS = 90.0
_EXPORTS_SECONDS = 10.0


def main() -> None:
    settings = read_settings(CourierSettings)
    grounds = enter(settings, service="courier", pool_size=10)
    database = grounds.database
    outside = Outside(OutsidePolicy(allowed_networks=settings.allowed_networks, allowed_ports=settings.allowed_ports))
    clients = WireCourier(database, outside, settings)
    notifier = Notifier(outbox=Outbox(database), outside=outside, others={"wire": clients.tell})
    expire = Expire(
        database,
        grounds.share,
        lambda: _retention(settings, steering(database)),
    )
    limits = FetchLimits(max_bytes=settings.fetch_max_bytes, total_seconds=settings.fetch_seconds)
    run_daemon(
        grounds,
        settings,
        pool=Pool.COURIER,
        handlers={
            TaskKind.FETCH: Fetch(
                outside=outside,
                limits=limits,
                address_of=clients.address_of,
                equal=lambda account, digest, size: equal_original(database, account, sha256=digest, size=size),
            )
        },
        slots=_FETCHES,
        chores=[
            # The courier looks often, so that others need not.
            *queue_chores(database, settings, hurry=8),
            Chore(name="notify", every_seconds=0.5, run=notifier.work_once),
            Chore(name="expire", every_seconds=10, run=expire.work_once),
            Chore(name="deadlines", every_seconds=5, run=lambda: enforce_deadlines(database)),
            Chore(name="strays", every_seconds=60, run=Strays(database, grounds.share).work_once),
            Chore(name="promote_aged", every_seconds=60, run=lambda: promote_aged(database)),
            *_exports(database, settings),
            *clients.chores(),
            Chore(name="bury", every_seconds=30, run=lambda: bury(database, silent_seconds=_SILENT_SECONDS)),
        ],
    )


def _retention(settings: CourierSettings, steered: Steering) -> Retention:
    return Retention(
        originals_seconds=steered.days("keep_originals_days", settings.keep_originals_days) * _DAY,
        results_seconds=steered.days("keep_results_days", settings.keep_results_days) * _DAY,
        failed_seconds=steered.days("keep_failed_days", settings.keep_failed_days) * _DAY,
    )


def _exports(database: Database, settings: CourierSettings) -> list[Chore]:
    """On a host that exports the share: the word of it that other hosts wait for."""
    if settings.exports_file is None:
        return []
    report = ReportExports(database, table=settings.exports_file, tree=settings.exported_tree)
    return [Chore(name="exports", every_seconds=_EXPORTS_SECONDS, run=report)]


if __name__ == "__main__":
    main()
