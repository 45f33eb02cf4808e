"""/v1/jobs: submit, look, cancel, retry, watch."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Response

from omkt_api.deps import Caller, KeyedRoute, Render, TheApi
from omkt_api.problems import documented
from omkt_api.schemas import JobChange, JobCreate, OutputsAdd
from omkt_api.streams import EventStream
from omkt_api.submit import Submit, demand_presets
from omkt_api.views import JobOut, JobsOut, TasksOut, tasks
from omkt_pipeline.domain.job import JobState, JobView
from omkt_pipeline.queue import jobs, overview
from omkt_pipeline.queue.adding import add_outputs
from omkt_pipeline.queue.jobs import Submitted
from omkt_pipeline.queue.priority import prioritise
from omkt_pipeline.queue.quotas import demand_quota

KEYED = (
    (401, "key_missing"),
    (401, "key_invalid"),
    (403, "scope_missing"),
    (422, "request_invalid"),
    (429, "rate_limited"),
    (503, "database_away"),
)
UNKNOWN = (404, "job_unknown")
UNREADABLE = (400, "request_unreadable")  # bytes that are no text, let alone JSON

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=KeyedRoute)

JobKey = Annotated[str, Path(max_length=64, description="The job's id.", examples=["s5a7qkq2ow3cfkbdzk7tq2rr4a"])]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="Your own id of this request. Sent again with the same body, no second job is made.",
    ),
]

_CREATED: dict[int | str, dict[str, Any]] = {
    201: {
        "description": "The job. A request that was made before is answered with the job that it made then.",
        "headers": {
            "Location": {"description": "The job's address.", "schema": {"type": "string"}},
            "Idempotency-Replayed": {
                "description": "`true` if an earlier request with this Idempotency-Key made the job.",
                "schema": {"type": "string"},
            },
        },
    }
}


@router.post(
    "",
    operation_id="submit_job",
    summary="Submit a job",
    status_code=201,
    response_model=JobOut,
    responses=documented(
        *KEYED,
        UNREADABLE,
        (400, "preset_unknown"),
        (422, "preset_invalid"),
        (400, "source_missing"),
        (400, "path_invalid"),
        (400, "source_url_invalid"),
        (400, "source_address_refused"),
        (400, "callback_refused"),
        (403, "quota_storage"),
        (404, "upload_unknown"),
        (404, "media_unknown"),
        (409, "media_not_ready"),
        (413, "body_too_large"),
        (422, "idempotency_mismatch"),
    )
    | _CREATED,
)
def submit_job(
    wanted: JobCreate, api: TheApi, caller: Caller, render: Render, idempotency_key: IdempotencyKey = None
) -> Response:
    """Store a job. The farm begins within a second; ask for the job, watch its events, or wait for the callback."""
    demand_quota(api.database, caller.id, caller.quotas)
    submit = Submit(api.database, api.share, api.presets, api.policy)
    return _created(submit(caller.id, wanted, idempotency_key), api, caller, render)


def _created(submitted: Submitted, api: TheApi, caller: Caller, render: Render) -> Response:
    """The answer, ready: of a model, the framework would make one in yet another thread, after checking it against itself."""
    headers = {"Location": f"/v1/jobs/{submitted.job_key}"}
    if submitted.replayed:
        headers["Idempotency-Replayed"] = "true"
    view = submitted.view or overview.job_by_key(api.database, caller.id, submitted.job_key)
    return Response(render.job(view).model_dump_json(), 201, headers, media_type="application/json")


@router.get("", operation_id="list_jobs", summary="List jobs", responses=documented(*KEYED, (400, "cursor_invalid")))
def list_jobs(
    api: TheApi,
    caller: Caller,
    render: Render,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=64, description="`next` of the page before.")] = None,
    state: JobState | None = None,
) -> JobsOut:
    """Your jobs, newest first. Pages stay as they are while new jobs arrive."""
    page = overview.jobs_page(api.database, caller.id, limit=limit, before=cursor, state=state)
    return JobsOut(jobs=[render.job(view) for view in page.jobs], next=page.next_before)


@router.get("/{key}", operation_id="get_job", summary="Get a job", responses=documented(*KEYED, UNKNOWN))
def get_job(key: JobKey, api: TheApi, caller: Caller, render: Render) -> JobOut:
    """One job with its outputs."""
    return render.job(overview.job_by_key(api.database, caller.id, key))


@router.patch(
    "/{key}",
    operation_id="change_job",
    summary="Change a job's priority",
    responses=documented(*KEYED, UNREADABLE, UNKNOWN, (409, "job_ended"), (413, "body_too_large")),
)
def change_job(key: JobKey, wanted: JobChange, api: TheApi, caller: Caller, render: Render) -> JobOut:
    """Let an open job go before or behind others. What runs already runs on."""
    prioritise(api.database, caller.id, key, wanted.priority)
    return render.job(overview.job_by_key(api.database, caller.id, key))


@router.post(
    "/{key}/outputs",
    operation_id="add_outputs",
    summary="Add outputs",
    status_code=202,
    responses=documented(
        *KEYED,
        UNREADABLE,
        (400, "preset_unknown"),
        (400, "preset_invalid"),
        (403, "quota_storage"),
        UNKNOWN,
        (409, "job_ended"),
        (409, "output_exists"),
        (409, "outputs_too_many"),
        (409, "source_expired"),
        (413, "body_too_large"),
    ),
)
def add_more_outputs(key: JobKey, wanted: OutputsAdd, api: TheApi, caller: Caller, render: Render) -> JobOut:
    """Have more made of the job's source. A job that has succeeded runs again, and succeeds again when they are there.

    What another job of the same media has made in the same way is not encoded again.
    """
    demand_quota(api.database, caller.id, caller.quotas)
    demand_presets(api.presets, wanted.presets)
    add_outputs(
        api.database,
        caller.id,
        key,
        [one if isinstance(one, str) else one.as_variation() for one in wanted.presets],
    )
    return render.job(overview.job_by_key(api.database, caller.id, key))


@router.post(
    "/{key}/cancel",
    operation_id="cancel_job",
    summary="Cancel a job",
    responses=documented(*KEYED, UNKNOWN, (409, "job_ended")),
)
def cancel_job(key: JobKey, api: TheApi, caller: Caller, render: Render) -> JobOut:
    """Stop a job. Cancelling it again is no error."""
    jobs.cancel(api.database, caller.id, key)
    return render.job(overview.job_by_key(api.database, caller.id, key))


@router.post(
    "/{key}/retry",
    operation_id="retry_job",
    summary="Retry a job",
    responses=documented(*KEYED, UNKNOWN, (409, "job_not_failed"), (409, "job_stopping")),
)
def retry_job(key: JobKey, api: TheApi, caller: Caller, render: Render) -> JobOut:
    """Try a failed or cancelled job again. What was done stays done; to have all of it done anew, `repeat` it."""
    jobs.retry(api.database, caller.id, key)
    return render.job(overview.job_by_key(api.database, caller.id, key))


@router.post(
    "/{key}/repeat",
    operation_id="repeat_job",
    summary="Repeat a whole job",
    status_code=201,
    response_model=JobOut,
    responses=documented(
        *KEYED,
        UNKNOWN,
        (400, "preset_unknown"),
        (422, "preset_invalid"),
        (400, "source_address_refused"),
        (400, "callback_refused"),
        (403, "quota_storage"),
        (404, "media_unknown"),
        (409, "job_open"),
        (409, "source_expired"),
        (409, "media_not_ready"),
        (422, "idempotency_mismatch"),
    )
    | _CREATED,
)
def repeat_job(
    key: JobKey, api: TheApi, caller: Caller, render: Render, idempotency_key: IdempotencyKey = None
) -> Response:
    """Do all of a job that has ended once more, as a new job: same source, outputs, priority, callback, tags and client data.
    Nothing that exists of its source is used again. An original that is gone is fetched again, where it came from a URL."""
    demand_quota(api.database, caller.id, caller.quotas)
    submit = Submit(api.database, api.share, api.presets, api.policy)
    return _created(submit.again(caller.id, key, idempotency_key), api, caller, render)


@router.get("/{key}/tasks", operation_id="list_tasks", summary="List tasks", responses=documented(*KEYED, UNKNOWN))
def list_tasks(key: JobKey, api: TheApi, caller: Caller) -> TasksOut:
    """The units of work of a job with every attempt at them."""
    return tasks(overview.tasks_of(api.database, caller.id, key))


def _watched(key: JobKey, api: TheApi, caller: Caller) -> JobView:
    """The job before the stream begins: after that, no status could tell that there is none."""
    return overview.job_by_key(api.database, caller.id, key)


@router.get(
    "/{key}/events",
    operation_id="watch_job",
    summary="Watch a job",
    response_class=EventStream,
    responses=documented(*KEYED, UNKNOWN),
)
async def watch_job(
    first: Annotated[JobView, Depends(_watched)],
    api: TheApi,
    render: Render,
    tasks: Annotated[bool, Query(description="With the progress of each unit of work: each chunk of a film.")] = False,
) -> EventStream:
    """Server-sent events named `job`: the job now and after each change. The stream ends when the job has ended."""
    return EventStream(api.watch.changes(first, render, tasks=tasks))
