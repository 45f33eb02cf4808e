"""Media, and what could be made of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from omkt_client.call import NOTHING, Call, path
from omkt_client.models import Job, Media, MediaList, Plan

_MEDIA, _LIST, _JOB, _PLAN = TypeAdapter(Media), TypeAdapter(MediaList), TypeAdapter(Job), TypeAdapter(Plan)


def add(source: Mapping[str, str | Sequence[str]], *, measure: bool = False) -> Call[Job]:
    """Bring a source to the farm and probe it, without making anything of it; the job that does so.

    `measure`: look and listen through all of it, too (loudness, borders, black, silence, scenes).
    """
    return Call(method="POST", path=path("media"), answer=_JOB, body={"source": dict(source), "measure": measure})


def get(media_id: str) -> Call[Media]:
    """One media with all that probing found."""
    return Call(method="GET", path=path("media", media_id), answer=_MEDIA)


def page(*, limit: int = 20, cursor: str | None = None, sha256: str | None = None) -> Call[MediaList]:
    """Media, newest first, up to 100, or those of one content; `cursor` is the `next` of the page before."""
    params = {"limit": limit, "cursor": cursor, "sha256": sha256}
    return Call(method="GET", path=path("media"), answer=_LIST, params=params)


def probe(media_id: str, *, measure: bool = False) -> Call[Job]:
    """Look at a media again; the job that does so."""
    return Call(method="POST", path=path("media", media_id, "probe"), answer=_JOB, body={"measure": measure})


def keep(media_id: str, until: datetime | None) -> Call[Media]:
    """Keep its original until a moment and no longer, or (None) as long as the farm's rule says."""
    body = {"keep_until": until.isoformat() if until else None}
    return Call(method="PATCH", path=path("media", media_id), answer=_MEDIA, body=body)


def remove(media_id: str) -> Call[None]:
    """Delete a media, its original and all results."""
    return Call(method="DELETE", path=path("media", media_id), answer=NOTHING)


def plan(media_id: str, presets: Sequence[str | Mapping[str, Any]]) -> Call[Plan]:
    """What a job would do: decisions with reasons, tasks, command lines. Starts nothing."""
    wanted = [one if isinstance(one, str) else dict(one) for one in presets]
    return Call(method="POST", path=path("plans"), answer=_PLAN, body={"media": media_id, "presets": wanted})
