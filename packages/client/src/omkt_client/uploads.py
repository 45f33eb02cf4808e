"""Uploads: what is known of them. `Client.upload` sends one."""

from pydantic import TypeAdapter

from omkt_client.call import NOTHING, Call, path
from omkt_client.models import UploadState

_STATE = TypeAdapter(UploadState)


def get(upload_id: str) -> Call[UploadState]:
    """How far an upload is."""
    return Call(method="GET", path=path("uploads", upload_id), answer=_STATE)


def give_up(upload_id: str) -> Call[None]:
    """End an upload that no job uses, and remove what came of it."""
    return Call(method="DELETE", path=path("uploads", upload_id), answer=NOTHING, headers={"Tus-Resumable": "1.0.0"})
