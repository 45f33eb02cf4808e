"""/v1/farm: the whole queue, its troubles and its brake, for the farm's operators."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from omkt_api.deps import KeyedRoute, TheApi
from omkt_api.problems import documented
from omkt_api.routes.hosts import FOR_OPERATORS, operators_only
from omkt_api.routes.jobs import UNREADABLE
from omkt_pipeline.domain.errors import NotFound
from omkt_pipeline.domain.task import Pool, TaskState
from omkt_pipeline.queue import jobs
from omkt_pipeline.queue.maintenance import pause, paused_pools, steer, steering
from omkt_pipeline.queue.overview import queue_depth
from omkt_pipeline.queue.trail import steps
from omkt_pipeline.queue.troubles import Trouble, stored, troubles

router = APIRouter(prefix="/v1/farm", tags=["farm"], route_class=KeyedRoute, dependencies=[Depends(operators_only)])

PoolName = Literal["courier", "metadata", "transcoder"]


class PoolOut(BaseModel):
    """The work of one kind of daemon."""

    pool: PoolName
    paused: bool
    waiting: int = Field(description="Needs other tasks first.")
    delayed: int = Field(description="Has its time still before it.")
    ready: int
    running: int


class FarmOut(BaseModel):
    pools: list[PoolOut]


class FarmChange(BaseModel):
    """What shall be paused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    paused: list[PoolName] = Field(max_length=3, description="Exactly these claim nothing. What runs already runs on.")


Days = Annotated[float, Field(ge=0, le=36500, strict=True)]
Seconds = Annotated[float, Field(ge=2, le=86400, strict=True)]


class SettingsOut(BaseModel):
    """Settings that may be changed while the farm runs; docs/configuration.md says what each means."""

    keep_originals_days: Days | None = None
    keep_results_days: Days | None = None
    keep_failed_days: Days | None = None
    chunk_min_seconds: Seconds | None = None
    chunk_target_seconds: Seconds | None = None


class SettingsChange(SettingsOut):
    """What shall be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"keep_results_days": 14}]})


class TroubleOut(BaseModel):
    """A task that failed for good."""

    id: int
    account: str
    job: str
    kind: str
    reason: str | None = Field(examples=["quarantined"])
    message: str | None
    host: str | None
    log: str | None = Field(description="The tool's last words, as far as they were kept.")
    failures: int
    losses: int = Field(description="Attempts whose worker died or was cut off.")
    at: datetime | None


class TroublesOut(BaseModel):
    tasks: list[TroubleOut]
    next: int | None = Field(description="Give it as `before` for the following page; null on the last one.")


class StoredOut(BaseModel):
    account: str
    original_bytes: int
    result_bytes: int


class StepOut(BaseModel):
    """Something that somebody changed."""

    id: int
    at: datetime
    account: str | None = Field(description="Whose key it was; null: the main host's command line.")
    key: str | None = Field(description="The key's id.")
    address: str | None = Field(description="Where the request came from.")
    action: str = Field(examples=["create_key"])
    target: str = Field(description="The path of what was changed.", examples=["/v1/keys"])


class TrailOut(BaseModel):
    steps: list[StepOut]
    next: int | None = Field(description="Give it as `before` for the following page; null on the last one.")


class StorageOut(BaseModel):
    free_bytes: int = Field(description="What may still be written.")
    accounts: list[StoredOut]


@router.get("", operation_id="get_farm", summary="Look at the queue", responses=documented(*FOR_OPERATORS))
def get_farm(api: TheApi) -> FarmOut:
    """How much waits and runs, by kind of daemon."""
    return _farm(api)


@router.patch(
    "",
    operation_id="change_farm",
    summary="Pause and go on",
    responses=documented(*FOR_OPERATORS, UNREADABLE, (413, "body_too_large")),
)
def change_farm(wanted: FarmChange, api: TheApi) -> FarmOut:
    """Pause pools for maintenance. Workers hear of it within about ten seconds."""
    pause(api.database, [Pool[name.upper()] for name in wanted.paused])
    return _farm(api)


@router.get(
    "/settings", operation_id="get_settings", summary="Look at changed settings", responses=documented(*FOR_OPERATORS)
)
def get_settings(api: TheApi) -> SettingsOut:
    """What was changed since the services were started; null is what they were started with."""
    return SettingsOut.model_validate(steering(api.database).model_dump())


@router.patch(
    "/settings",
    operation_id="change_settings",
    summary="Change settings of the running farm",
    responses=documented(*FOR_OPERATORS, UNREADABLE, (413, "body_too_large")),
)
def change_settings(wanted: SettingsChange, api: TheApi) -> SettingsOut:
    """Change what is named; null leads back to what the services were started with. They hear of it within seconds."""
    changed = steer(api.database, wanted.model_dump(exclude_unset=True))
    return SettingsOut.model_validate(changed.model_dump())


@router.get(
    "/troubles", operation_id="list_troubles", summary="List failed tasks", responses=documented(*FOR_OPERATORS)
)
def list_troubles(
    api: TheApi,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[int | None, Query(ge=0, le=2**53, description="`next` of the page before.")] = None,
) -> TroublesOut:
    """What failed for good, or was quarantined, of all accounts, newest first, with what the tool said."""
    found = troubles(api.database, limit=limit + 1, before=before)
    shown = found[:limit]
    return TroublesOut(tasks=[_shown(one) for one in shown], next=shown[-1].id if len(found) > limit else None)


@router.post(
    "/troubles/{task}/retry",
    operation_id="retry_trouble",
    summary="Retry the job of a failed task",
    status_code=202,
    responses=documented(
        *FOR_OPERATORS, (404, "task_unknown"), (404, "job_unknown"), (409, "job_not_failed"), (409, "job_stopping")
    ),
)
def retry_trouble(task: Annotated[int, Path(ge=0, le=2**53, description="The task's id.")], api: TheApi) -> Response:
    """Try its job again. What was done stays done."""
    found = troubles(api.database, limit=1, before=task + 1)
    if not found or found[0].id != task:
        raise NotFound(f"There is no failed task {task}.", code="task_unknown")
    jobs.retry(api.database, found[0].account_id, found[0].job_key)
    return Response(status_code=202)


@router.get("/trail", operation_id="list_trail", summary="Look at the trail", responses=documented(*FOR_OPERATORS))
def list_trail(
    api: TheApi,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[int | None, Query(ge=0, le=2**53, description="`next` of the page before.")] = None,
    account: Annotated[str | None, Query(max_length=64, description="Only what its keys did.")] = None,
) -> TrailOut:
    """What was changed by whom, newest first, 400 days back: keys, accounts, presets, hosts, jobs. It holds no secrets."""
    found = steps(api.database, limit=limit + 1, before=before, account_name=account)
    shown = [
        StepOut(
            id=one.id,
            at=one.at,
            account=one.account,
            key=one.key_id,
            address=one.address,
            action=one.action,
            target=one.target,
        )
        for one in found[:limit]
    ]
    return TrailOut(steps=shown, next=shown[-1].id if len(found) > limit else None)


@router.get(
    "/storage",
    operation_id="get_storage",
    summary="Look at the share",
    responses=documented(*FOR_OPERATORS, (503, "share_unusable")),
)
def get_storage(api: TheApi) -> StorageOut:
    """What is left of the share, and who has how much of it."""
    return StorageOut(
        free_bytes=max(0, api.share.free_bytes()),
        accounts=[
            StoredOut(account=one.account, original_bytes=one.original_bytes, result_bytes=one.result_bytes)
            for one in stored(api.database)
        ],
    )


def _farm(api: TheApi) -> FarmOut:
    depth, paused = queue_depth(api.database), paused_pools(api.database)
    pools: dict[Pool, PoolName] = {Pool.COURIER: "courier", Pool.METADATA: "metadata", Pool.TRANSCODER: "transcoder"}
    return FarmOut(
        pools=[
            PoolOut(
                pool=name,
                paused=pool in paused,
                waiting=depth.get((pool, TaskState.WAITING), 0),
                delayed=depth.get((pool, TaskState.DELAYED), 0),
                ready=depth.get((pool, TaskState.READY), 0),
                running=depth.get((pool, TaskState.RUNNING), 0),
            )
            for pool, name in pools.items()
        ]
    )


def _shown(one: Trouble) -> TroubleOut:
    return TroubleOut(
        id=one.id,
        account=one.account,
        job=one.job_key,
        kind=one.kind,
        reason=one.reason,
        message=one.message,
        host=one.host,
        log=one.log_tail,
        failures=one.failures,
        losses=one.losses,
        at=one.at,
    )
