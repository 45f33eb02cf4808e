"""/v1/media: what the farm has of its clients, and what a job of it would do (/v1/plans)."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from omkt_api.deps import Api, Caller, KeyedRoute, Render, TheApi
from omkt_api.problems import documented
from omkt_api.routes.jobs import KEYED, UNREADABLE
from omkt_api.schemas import MediaChange, MediaCreate, PlanCreate, ProbeCreate
from omkt_api.submit import Submit, demand_presets
from omkt_api.views import JobOut, SourceOut
from omkt_pipeline.domain.account import Account
from omkt_pipeline.domain.errors import Conflict
from omkt_pipeline.domain.job import JobRequest, JobView, Source, SourceKind
from omkt_pipeline.domain.media import MediaFacts, SourceFile
from omkt_pipeline.domain.plan import Decision
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.media.commands import commands_of
from omkt_pipeline.planning.plan import plan_job
from omkt_pipeline.queue.capacity import capacity, chunk_rules
from omkt_pipeline.queue.jobs import submit
from omkt_pipeline.queue.media import MediaView, delete_media, forget_facts, keep_media, media_by_key, media_page
from omkt_pipeline.queue.overview import job_by_key
from omkt_pipeline.queue.quotas import demand_quota

router = APIRouter(prefix="/v1/media", tags=["media"], route_class=KeyedRoute)
plans = APIRouter(prefix="/v1/plans", tags=["media"], route_class=KeyedRoute)

MediaKey = Annotated[str, Path(max_length=64, description="The media's id.")]
_UNKNOWN = (404, "media_unknown")


class MediaShortOut(BaseModel):
    """One source."""

    id: str
    state: str = Field(description="expected, stored, probed or expired.")
    source: SourceOut
    name: str | None
    bytes: int | None
    sha256: str | None
    keep_until: datetime | None = Field(
        description="Its original is kept until then; null: as long as the farm's rule says."
    )
    created_at: datetime


class MediaFullOut(MediaShortOut):
    """One source with what probing found."""

    facts: dict[str, Any] | None = Field(description="In the farm's words; null before probing.")
    probe: dict[str, Any] | None = Field(description="In ffprobe's words.")


class MediaListOut(BaseModel):
    """A page of media, newest first."""

    media: list[MediaShortOut]
    next: str | None = Field(description="Give it as `cursor` for the following page; null on the last one.")


class PlannedTaskOut(BaseModel):
    """One unit of work."""

    id: str
    kind: str
    needs: list[str]
    cost: float = Field(description="Estimated CPU seconds.")
    output: str | None
    commands: list[list[str]] = Field(
        description="What a worker will run, word by word, with short names for files. What only the work tells is left open."
    )


class PlanOut(BaseModel):
    """What a job would do, and why."""

    decisions: list[Decision]
    tasks: list[PlannedTaskOut]
    outputs: list[str]
    cost: float = Field(description="Estimated CPU seconds of all of it.")


@router.get("", operation_id="list_media", summary="List media", responses=documented(*KEYED, (400, "cursor_invalid")))
def list_media(
    api: TheApi,
    caller: Caller,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=64, description="`next` of the page before.")] = None,
    sha256: Annotated[
        str | None,
        Query(pattern=r"^[0-9a-f]{64}$", description="Only those of this content: whether a file is here already."),
    ] = None,
) -> MediaListOut:
    """Your media, newest first."""
    page = media_page(api.database, caller.id, limit=limit, before=cursor, sha256=sha256)
    return MediaListOut(media=[MediaShortOut(**_shown(view)) for view in page.media], next=page.next_before)


@router.get("/{key}", operation_id="get_media", summary="Get a media", responses=documented(*KEYED, _UNKNOWN))
def get_media(key: MediaKey, api: TheApi, caller: Caller) -> MediaFullOut:
    """One media with everything that is known of it."""
    view = media_by_key(api.database, caller.id, key)
    return MediaFullOut(**_shown(view), facts=_plain(view.facts), probe=_public_probe(view.raw_probe))


@router.post(
    "",
    operation_id="bring_media",
    summary="Bring a media",
    status_code=202,
    responses=documented(
        *KEYED,
        UNREADABLE,
        (400, "source_missing"),
        (400, "path_invalid"),
        (400, "source_url_invalid"),
        (400, "source_address_refused"),
        (403, "quota_storage"),
        (404, "upload_unknown"),
        (404, "media_unknown"),
        (409, "media_not_ready"),
        (413, "body_too_large"),
    ),
)
def bring_media(wanted: MediaCreate, api: TheApi, caller: Caller, render: Render) -> JobOut:
    """Fetch a source and find out what it is, without making anything of it: a job without presets. Its `media` is the media."""
    demand_quota(api.database, caller.id, caller.quotas)
    return render.job(_intake(api, caller, wanted.source.as_source(), measure=wanted.measure))


@router.post(
    "/{key}/probe",
    operation_id="probe_media",
    summary="Probe a media again",
    status_code=202,
    responses=documented(
        *KEYED, UNREADABLE, _UNKNOWN, (409, "media_in_use"), (409, "media_not_ready"), (413, "body_too_large")
    ),
)
def probe_media(
    key: MediaKey, api: TheApi, caller: Caller, render: Render, wanted: ProbeCreate | None = None
) -> JobOut:
    """Find out anew what it is, for example after the farm's ffmpeg became another: a job without presets.

    With `{"measure": true}` also what the whole of it measures, which takes as long as decoding it does.
    """
    forget_facts(api.database, caller.id, key)
    again = Source(kind=SourceKind.MEDIA, value=key)
    return render.job(_intake(api, caller, again, measure=wanted is not None and wanted.measure))


def _intake(api: Api, caller: Account, source: Source, *, measure: bool) -> JobView:
    known = Submit(api.database, api.share, api.presets, api.policy).find(source)
    made = submit(api.database, caller.id, JobRequest(source=source, presets=(), measure=measure), known)
    return made.view or job_by_key(api.database, caller.id, made.job_key)


@router.patch(
    "/{key}",
    operation_id="keep_media",
    summary="Keep a media",
    responses=documented(*KEYED, UNREADABLE, _UNKNOWN, (413, "body_too_large")),
)
def change_media(key: MediaKey, wanted: MediaChange, api: TheApi, caller: Caller) -> MediaFullOut:
    """Say until when the original is kept; then it goes, as soon as no job of it is open. Results have a time of their own."""
    keep_media(api.database, caller.id, key, wanted.keep_until)
    return get_media(key, api, caller)


@router.delete(
    "/{key}",
    operation_id="delete_media",
    summary="Delete a media",
    status_code=204,
    responses=documented(*KEYED, _UNKNOWN, (409, "media_in_use")),
)
def remove_media(key: MediaKey, api: TheApi, caller: Caller) -> Response:
    """Let a media go with the results of all its jobs. Their links end at once; the files go within seconds."""
    delete_media(api.database, caller.id, key)
    return Response(status_code=204)


@plans.post(
    "",
    operation_id="make_plan",
    summary="Ask what a job would do",
    responses=documented(
        UNREADABLE,
        *KEYED,
        _UNKNOWN,
        (400, "preset_unknown"),
        (422, "preset_invalid"),
        (400, "no_video"),
        (400, "no_audio"),
        (409, "media_not_ready"),
        (413, "body_too_large"),
    ),
)
def make_plan(wanted: PlanCreate, api: TheApi, caller: Caller) -> PlanOut:
    """A dry run: decisions with their reasons, the work and what it costs. Nothing is stored."""
    presets = demand_presets(api.presets, wanted.presets)
    view = media_by_key(api.database, caller.id, wanted.media)
    if view.facts is None or view.path is None:
        raise Conflict("This media is not probed, or its original is gone.", code="media_not_ready")
    source = SourceFile(path=view.path, bytes=view.bytes or 0)
    plan = plan_job(
        MediaFacts.model_validate(view.facts),
        source,
        presets,
        capacity=capacity(api.database, Pool.TRANSCODER),
        rules=chunk_rules(api.database),
    )
    return PlanOut(
        decisions=list(plan.decisions),
        tasks=[
            PlannedTaskOut(
                id=one.key,
                kind=one.kind,
                needs=list(one.needs),
                cost=one.cost,
                output=one.output,
                commands=commands_of(one),
            )
            for one in plan.tasks
        ],
        outputs=[one.key for one in plan.outputs],
        cost=round(sum(one.cost for one in plan.tasks), 1),
    )


def _shown(view: MediaView) -> dict[str, Any]:
    return {
        "id": view.key,
        "state": view.state.name.lower(),
        "source": SourceOut(kind=view.source.kind, value=view.source.value),
        "name": view.name,
        "bytes": view.bytes,
        "sha256": view.sha256,
        "keep_until": view.keep_until,
        "created_at": view.created_at,
    }


def _public_probe(raw: Any) -> dict[str, Any] | None:
    """Without the file's name: the paths of hosts are nobody's business."""
    if raw is None:
        return None
    found = dict(raw)
    if isinstance(found.get("format"), dict):
        found["format"] = {name: value for name, value in found["format"].items() if name != "filename"}
    return found


def _plain(facts: Any) -> dict[str, Any] | None:
    return dict(facts) if facts is not None else None
