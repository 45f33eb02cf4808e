"""The farm itself, for admins: hosts, queue, troubles, storage."""

from collections.abc import Sequence

from pydantic import TypeAdapter

from omkt_client.call import NOTHING, Call, path
from omkt_client.models import Farm, Host, Hosts, Settings, Storage, Troubles

_HOST, _HOSTS, _FARM = TypeAdapter(Host), TypeAdapter(Hosts), TypeAdapter(Farm)
_TROUBLES, _STORAGE, _SETTINGS = TypeAdapter(Troubles), TypeAdapter(Storage), TypeAdapter(Settings)


def hosts() -> Call[Hosts]:
    """All hosts with their workers."""
    return Call(method="GET", path=path("hosts"), answer=_HOSTS)


def host(name: str) -> Call[Host]:
    """One host."""
    return Call(method="GET", path=path("hosts", name), answer=_HOST)


def drain(name: str) -> Call[Host]:
    """Let a host take nothing new."""
    return Call(method="POST", path=path("hosts", name, "drain"), answer=_HOST)


def resume(name: str) -> Call[Host]:
    """Let a drained host work again."""
    return Call(method="POST", path=path("hosts", name, "resume"), answer=_HOST)


def remove(name: str) -> Call[None]:
    """Forget a host that works no more."""
    return Call(method="DELETE", path=path("hosts", name), answer=NOTHING)


def queue() -> Call[Farm]:
    """What waits and runs, by kind of work."""
    return Call(method="GET", path=path("farm"), answer=_FARM)


def pause(pools: Sequence[str]) -> Call[Farm]:
    """Let nobody claim work of these kinds, and everybody of all others."""
    return Call(method="PATCH", path=path("farm"), answer=_FARM, body={"paused": list(pools)})


def settings() -> Call[Settings]:
    """What was changed while the farm runs."""
    return Call(method="GET", path=path("farm", "settings"), answer=_SETTINGS)


def change_settings(**changes: float | None) -> Call[Settings]:
    """Change settings by their names; None leads back to what the services were started with."""
    return Call(method="PATCH", path=path("farm", "settings"), answer=_SETTINGS, body=dict(changes))


def troubles(*, limit: int = 20, before: int | None = None) -> Call[Troubles]:
    """Tasks that failed for good or were set aside, newest first, with their logs; `before` is the `next` of the page before."""
    params = {"limit": limit, "before": before}
    return Call(method="GET", path=path("farm", "troubles"), answer=_TROUBLES, params=params)


def retry(task_id: int) -> Call[None]:
    """Try the job of such a task again."""
    return Call(method="POST", path=path("farm", "troubles", str(task_id), "retry"), answer=NOTHING)


def storage() -> Call[Storage]:
    """What is stored for whom, and what is free."""
    return Call(method="GET", path=path("farm", "storage"), answer=_STORAGE)
