"""/v1/hosts: the machines of the farm, for its operators."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from omkt_api.deps import Caller, KeyedRoute, TheApi
from omkt_api.problems import documented
from omkt_api.routes.jobs import KEYED
from omkt_pipeline.domain.errors import Refused
from omkt_pipeline.domain.host import Host
from omkt_pipeline.queue import hosts as queue


def operators_only(caller: Caller) -> None:
    """Raise Refused (operator_only) for accounts that are none."""
    if not caller.operator:
        raise Refused("This is for the farm's operators, and this account is none.", code="operator_only")


FOR_OPERATORS = (*KEYED, (403, "operator_only"))
router = APIRouter(prefix="/v1/hosts", tags=["hosts"], route_class=KeyedRoute, dependencies=[Depends(operators_only)])
Name = Annotated[str, Field(max_length=255, description="The host's name.", examples=["encoder-2"])]


class HostWorkerOut(BaseModel):
    pool: str = Field(examples=["transcoder"])
    state: str = Field(description="up, draining or aside.", examples=["up"])
    note: str | None = Field(description="Why it takes no work.")
    slots: int = Field(description="Tasks at a time.", examples=[2])
    running: int = Field(examples=[1])
    version: str
    facts: dict[str, Any] = Field(description="ffmpeg, cores, free bytes of its disk, and the like.")
    seen_at: datetime


class HostOut(BaseModel):
    name: Name
    state: str = Field(description="invited, up, draining, drained, aside or away.", examples=["up"])
    note: str | None = Field(description="Why it is not up, or not fully.")
    warnings: list[str]
    slots: int = Field(description="Tasks at a time of its transcoders.", examples=[4])
    running: int = Field(examples=[3])
    tasks: list[str] = Field(description="What it works on: kind and job.")
    speed: float | None = Field(
        description="Planned CPU seconds of encoding that it finishes in a second.", examples=[3.6]
    )
    seen_at: datetime | None
    workers: list[HostWorkerOut]


class HostsOut(BaseModel):
    hosts: list[HostOut]


@router.get("", operation_id="list_hosts", summary="List hosts", responses=documented(*FOR_OPERATORS))
def list_hosts(api: TheApi) -> HostsOut:
    """Every host, with its workers."""
    return HostsOut(hosts=[_shown(host) for host in queue.hosts(api.database)])


@router.get(
    "/{name}",
    operation_id="get_host",
    summary="Get a host",
    responses=documented(*FOR_OPERATORS, (404, "host_unknown")),
)
def get_host(name: Name, api: TheApi) -> HostOut:
    """One host."""
    return _shown(queue.host_by_name(api.database, name))


@router.post(
    "/{name}/drain",
    operation_id="drain_host",
    summary="Drain a host",
    responses=documented(*FOR_OPERATORS, (404, "host_unknown")),
)
def drain_host(name: Name, api: TheApi) -> HostOut:
    """Let it take nothing new. What it holds it finishes; it stays drained until it is resumed."""
    queue.order(api.database, name, drain=True)
    return _shown(queue.host_by_name(api.database, name))


@router.post(
    "/{name}/resume",
    operation_id="resume_host",
    summary="Resume a host",
    responses=documented(*FOR_OPERATORS, (404, "host_unknown")),
)
def resume_host(name: Name, api: TheApi) -> HostOut:
    """Let a drained host work again."""
    queue.order(api.database, name, drain=False)
    return _shown(queue.host_by_name(api.database, name))


@router.delete(
    "/{name}",
    operation_id="remove_host",
    summary="Remove a host",
    status_code=204,
    responses=documented(*FOR_OPERATORS, (404, "host_unknown"), (409, "host_alive")),
)
def remove_host(name: Name, api: TheApi) -> Response:
    """Forget a host that works no more. Its user of the database is removed by `omkt hosts remove` on the main host."""
    queue.remove(api.database, name)
    return Response(status_code=204)


def _shown(host: Host) -> HostOut:
    return HostOut(
        name=host.name,
        state=host.state,
        note=host.note,
        warnings=list(host.warnings),
        slots=host.slots,
        running=host.running,
        tasks=list(host.tasks),
        speed=host.speed,
        seen_at=host.seen_at,
        workers=[
            HostWorkerOut(
                pool=worker.pool.name.lower(),
                state=worker.state,
                note=worker.note,
                slots=worker.slots,
                running=worker.running,
                version=worker.version,
                facts=dict(worker.facts),
                seen_at=worker.seen_at,
            )
            for worker in host.workers
        ],
    )
