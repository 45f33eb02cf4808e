"""Submit: check what a client asks for, and store media, job and first tasks in one transaction."""

import errno
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from omkt_api.guard import OutsidePolicy, check_url
from omkt_api.schemas import JobCreate, Wanted
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import FetchError, Refused, ShareUnusable, SourceError
from omkt_pipeline.domain.job import Callback, JobRequest, Source, SourceKind, Variation
from omkt_pipeline.domain.preset import Preset
from omkt_pipeline.presets import varied
from omkt_pipeline.queue import jobs
from omkt_pipeline.queue.jobs import Submitted
from omkt_pipeline.queue.repeat import request_again
from omkt_pipeline.queue.sources import NewMedia
from omkt_pipeline.storage import layout
from omkt_pipeline.storage.share import Share


class Submit:
    """The verb, bound to a farm."""

    def __init__(self, database: Database, share: Share, presets: Mapping[str, Preset], policy: OutsidePolicy) -> None:
        self._database = database
        self._share = share
        self._presets = presets
        self._policy = policy

    def __call__(self, account_id: int, wanted: JobCreate, idempotency_key: str | None) -> Submitted:
        """Store the job, or find the one that this request made before.

        Raises Refused (preset_unknown, source_missing, path_invalid, callback_refused), FetchError for a URL that the
        farm will not fetch, NotFound (upload_unknown), Conflict (idempotency_mismatch), Unavailable.
        """
        demand_presets(self._presets, wanted.presets)
        if wanted.callback is not None:
            self._check_callback(wanted.callback.url)
        request = job_request(wanted, idempotency_key)
        return jobs.submit(self._database, account_id, request, self.find(request.source))

    def again(self, account_id: int, job_key: str, idempotency_key: str | None) -> Submitted:
        """Store a job that does all of another one once more, or find the one that this request made before.

        Raises NotFound, Conflict (job_open, source_expired, media_not_ready, idempotency_mismatch), Refused (preset_unknown,
        preset_invalid, callback_refused), FetchError, Unavailable.
        """
        request = request_again(self._database, account_id, job_key, idempotency_key)
        for one in request.presets:
            demanded(self._presets, one)
        if request.callback is not None:
            self._check_callback(request.callback.url)
        return jobs.submit(self._database, account_id, request, self.find(request.source))

    def find(self, source: Source) -> NewMedia:
        """What is known of a source now. Raises Refused (source_missing, path_invalid), FetchError as above."""
        if source.kind is SourceKind.URL:
            check_url(source.value, self._policy)
            return NewMedia()
        if source.kind in (SourceKind.UPLOAD, SourceKind.MEDIA, SourceKind.CONCAT):
            return NewMedia()
        path = layout.incoming_path(source.value)
        try:
            size = self._share.original(path).stat().st_size
        except (SourceError, FileNotFoundError, RuntimeError):  # RuntimeError: links that lead in a circle
            raise _missing(source) from None
        except ShareUnusable as error:
            if error.code == "path_escapes" or _names_nothing(error.__cause__):
                raise _missing(source) from None
            raise
        return NewMedia(name=PurePosixPath(path).name[:255], path=path, bytes=size)

    def _check_callback(self, url: str) -> None:
        try:
            check_url(url, self._policy)
        except FetchError as error:
            raise Refused(f"The callback cannot be called: {error.message}", code="callback_refused") from None


def demand_presets(known: Mapping[str, Preset], wanted: Sequence[Wanted]) -> list[Preset]:
    """The presets of these names, as they are wanted. Raises Refused (preset_unknown, preset_invalid)."""
    return [demanded(known, one if isinstance(one, str) else one.as_variation()) for one in wanted]


def demanded(known: Mapping[str, Preset], wanted: str | Variation) -> Preset:
    """The preset of this name, or as it is varied. Raises Refused (preset_unknown, preset_invalid)."""
    name = wanted if isinstance(wanted, str) else wanted.preset
    if name not in known:
        raise Refused(f"There is no preset {name!r}. This farm has: {', '.join(sorted(known))}.", code="preset_unknown")
    if isinstance(wanted, str):
        return known[name]
    try:
        return varied(wanted, known)
    except ValueError as error:
        raise Refused(f"{name} cannot be changed like this. {error}", code="preset_invalid") from error


def job_request(wanted: JobCreate, idempotency_key: str | None) -> JobRequest:
    """The request in the domain's words. Two that ask for the same under one key have the same fingerprint."""
    return JobRequest(
        source=wanted.source.as_source(),
        presets=tuple(one if isinstance(one, str) else one.as_variation() for one in wanted.presets),
        priority=wanted.priority,
        callback=Callback(url=wanted.callback.url, types=tuple(wanted.callback.types)) if wanted.callback else None,
        client_data=wanted.client_data,
        tags=tuple(wanted.tags),
        not_before=wanted.not_before,
        first=wanted.first,
        deadline=wanted.deadline,
        idempotency_key=idempotency_key,
        fingerprint=_fingerprint(wanted) if idempotency_key is not None else "",
    )


def _fingerprint(wanted: JobCreate) -> str:
    # What a request of an earlier version could not say does not change what it asks for.
    said = wanted.model_dump(mode="json", exclude={"first"} if wanted.first is None else None)
    if wanted.callback is not None and not wanted.callback.types:
        del said["callback"]["types"]
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _names_nothing(cause: BaseException | None) -> bool:
    """Whether the share is well and the path is what no file can be called."""
    return isinstance(cause, OSError) and cause.errno in (errno.ENAMETOOLONG, errno.ELOOP)


def _missing(source: Source) -> Refused:
    return Refused(f"The share's folder incoming holds no file {source.value!r}.", code="source_missing")
