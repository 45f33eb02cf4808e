"""The rows. Imported by db/ and queue/ and by nothing else; rows are never a client's input."""

from omkt_pipeline.db.tables.accounts import account, api_key, fair_share, idempotency, trail
from omkt_pipeline.db.tables.farm import farm, host, preset, worker
from omkt_pipeline.db.tables.jobs import job, output
from omkt_pipeline.db.tables.media import media, upload
from omkt_pipeline.db.tables.messages import delivery, event, outbox, webhook_endpoint
from omkt_pipeline.db.tables.tasks import artifact, task, task_attempt, task_edge

__all__ = [
    "account",
    "api_key",
    "artifact",
    "delivery",
    "event",
    "fair_share",
    "farm",
    "host",
    "idempotency",
    "job",
    "media",
    "outbox",
    "output",
    "preset",
    "task",
    "task_attempt",
    "task_edge",
    "trail",
    "upload",
    "webhook_endpoint",
    "worker",
]
