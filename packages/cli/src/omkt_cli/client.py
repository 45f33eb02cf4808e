"""The farm as the command line speaks to it: the client's errors become faults with an exit code."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

from omkt_cli.faults import Exit, Fault
from omkt_client import Client, ClientError, Problem, Unreachable, jobs, presets
from omkt_client.call import GATEWAY_TROUBLE, Call
from omkt_client.models import File, Job, Preset

T = TypeVar("T")
#: A farm that answered before may restart under us: it gets this long to come back.
PATIENCE_SECONDS = 30.0


class FarmClient:
    """Speaks to one farm with one key. Every method raises Fault, with the server's own sentence where there is one.

    A `patient` client waits for a farm that does not answer; others do so only once it has answered them.
    """

    def __init__(
        self, server: str, key: str | None, *, patient: bool = False, transport: httpx.BaseTransport | None = None
    ) -> None:
        try:
            self._farm = Client(server, key, patience=PATIENCE_SECONDS if patient else 0.0, transport=transport)
        except ValueError as error:
            raise Fault(str(error), Exit.USAGE) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._farm.close()

    def is_ready(self) -> bool:
        """Whether the farm takes jobs now."""
        return self._farm.is_ready()

    def presets(self) -> Sequence[Preset]:
        """The presets of this farm."""
        return self._ask(presets.all_of_them()).presets

    def put_preset(self, said: Mapping[str, Any]) -> Preset:
        """Add a preset, given as its YAML file has it, or change it; what the farm made of it."""
        outer = {name: said[name] for name in ("extends", "kind", "title") if name in said}
        settings = {name: value for name, value in said.items() if name not in (*outer, "id", "version")}
        return self._ask(presets.put(str(said["id"]), settings, **outer))

    def remove_preset(self, name: str) -> None:
        """Remove a preset of the farm's own."""
        self._ask(presets.remove(name))

    def upload(self, path: Path, *, on_bytes: Callable[[int], None]) -> str:
        """Send a file and return its id, by which a job can name it. `on_bytes` hears how much was sent."""
        try:
            with _as_faults():
                return self._farm.upload(path, on_bytes=on_bytes).id
        except OSError as error:
            raise Fault(f"{path} cannot be read: {error.strerror or error}.", Exit.USAGE) from error

    def submit(
        self,
        source: Mapping[str, str],
        presets: Sequence[Any],
        *,
        priority: str = "normal",
        callback: str | None = None,
        first: str | None = None,
    ) -> Job:
        """Ask for outputs."""
        return self._ask(jobs.submit(source, presets, priority=priority, callback=callback, first=first))

    def job(self, job_id: str) -> Job:
        """One job."""
        return self._ask(jobs.get(job_id))

    def jobs(self, *, limit: int, state: str | None = None) -> list[Job]:
        """The newest jobs, over as many pages as it takes."""
        found: list[Job] = []
        cursor: str | None = None
        while len(found) < limit:
            page = self._ask(jobs.page(limit=min(100, limit - len(found)), state=state, cursor=cursor))
            found += page.jobs
            cursor = page.next
            if not cursor:
                break
        return found

    def cancel(self, job_id: str) -> Job:
        """Stop a job."""
        return self._ask(jobs.cancel(job_id))

    def retry(self, job_id: str) -> Job:
        """Try a failed or cancelled job again."""
        return self._ask(jobs.retry(job_id))

    def repeat(self, job_id: str) -> Job:
        """Do all of a job once more, as a new one."""
        return self._ask(jobs.repeat(job_id))

    def watch(self, job_id: str) -> Iterator[Job]:
        """Yield the job at each change until it is final. Connects again by itself when the connection breaks."""
        self._farm.patience = PATIENCE_SECONDS
        with _as_faults():
            yield from self._farm.watch(job_id)

    def files(self, job_id: str, output_id: str) -> Sequence[File]:
        """The files of an output."""
        return self._ask(jobs.output(job_id, output_id)).files

    def content(self, job_id: str, output_id: str, path: str) -> Iterator[bytes]:
        """The bytes of a file. Raises Unreachable, which is no Fault, when the connection breaks on the way."""
        try:
            yield from self._farm.content(job_id, output_id, path)
        except Unreachable:
            raise
        except ClientError as error:
            raise _fault(error) from error

    def _ask(self, call: Call[T]) -> T:
        with _as_faults():
            answer = self._farm.send(call)
        self._farm.patience = PATIENCE_SECONDS
        return answer


@contextmanager
def _as_faults() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise _fault(error) from error


def _fault(error: ClientError) -> Fault:
    if not isinstance(error, Problem):
        return Fault(str(error), Exit.UNREACHABLE)
    return Fault(str(error), Exit.UNREACHABLE if error.status in GATEWAY_TROUBLE else Exit.FAILED, code=error.code)
