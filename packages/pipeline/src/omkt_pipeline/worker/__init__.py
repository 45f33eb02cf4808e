"""The loop every daemon runs: claim, beat, handle, settle; two-stage stop."""

from omkt_pipeline.worker.config import WorkerConfig
from omkt_pipeline.worker.context import Handler, TaskContext
from omkt_pipeline.worker.loop import Chore, Worker

__all__ = ["Chore", "Handler", "TaskContext", "Worker", "WorkerConfig"]
