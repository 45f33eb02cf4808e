"""Where everything lies on the share. The only place that joins a path below its root.

.omkt-share                                   the sentinel: "this is the share", with the farm's id
incoming/                                     what the operator puts there; sources of kind `path`; never changed by us
originals/<media>/<attempt>/original          what was fetched or uploaded
staging/<job>/<task>/<attempt>/               what encode made for package
results/<job>/<output>/<attempt>/             what is delivered, once its row says so

Names of clients and of media never become paths: every part is an id of ours.
"""

from pathlib import PurePosixPath

from omkt_pipeline.domain.errors import Refused
from omkt_pipeline.domain.task import Task

SENTINEL = ".omkt-share"
INCOMING = "incoming"
ORIGINALS = "originals"
STAGING = "staging"
RESULTS = "results"
#: Of an original in its attempt's folder.
ORIGINAL = "original"
#: A folder that is being written carries this ending until it is complete.
PART = ".part"


def original_folder(media_key: str, attempt: str) -> str:
    """The folder of one attempt to store an original."""
    return f"{ORIGINALS}/{media_key}/{attempt}"


def staging_folder(task: Task) -> str:
    """The folder of one attempt's intermediate files."""
    return f"{STAGING}/{task.job_key}/{task.id}/{task.folder_name}"


def result_folder(task: Task, output: str) -> str:
    """The folder of one attempt to deliver an output."""
    return f"{RESULTS}/{task.job_key}/{output}/{task.folder_name}"


def job_staging(job_key: str) -> str:
    """Everything that a job's encodes left for its packages."""
    return f"{STAGING}/{job_key}"


def job_results(job_key: str) -> str:
    """Everything that a job delivers, with what attempts in vain left there."""
    return f"{RESULTS}/{job_key}"


def media_originals(media_key: str) -> str:
    """Everything that was fetched or uploaded for a media."""
    return f"{ORIGINALS}/{media_key}"


def incoming_path(value: str) -> str:
    """The path below the root of a source that the operator put on the share.

    Raises Refused for anything but a plain relative path: absolute, empty, dotted or with control characters.
    """
    path = PurePosixPath(value)
    if (
        not value
        or path.is_absolute()
        or any(part in ("", ".", "..") for part in value.split("/"))
        or any(ord(character) < 32 for character in value)
        or len(value.encode(errors="replace")) > 1024
    ):
        raise Refused(
            "The path must be relative to the share's incoming folder, without '.' or '..' parts.", code="path_invalid"
        )
    return f"{INCOMING}/{value}"
