"""app_new_media, app_request_format, app_get_status: media and formats under the client's own numbers."""

from collections.abc import Mapping
from typing import Any

from omkt_api.submit import Submit
from omkt_api.wire.codes import Code, WireError, entry
from omkt_api.wire.php import Value, list_of, number_of, text_of, truth_of
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import Conflict, FetchError, NotFound, Refused
from omkt_pipeline.domain.job import Callback, CallbackKind, JobRequest, JobState, MediaState, Source, SourceKind
from omkt_pipeline.domain.preset import Preset
from omkt_pipeline.queue.wire import media
from omkt_pipeline.queue.wire.clients import ADAPTERS, LOCAL, WireClient
from omkt_pipeline.queue.wire.media import WireMedia

#: Settings in one request; the original has 28.
_MAX_SETTINGS = 100


def new_media(
    database: Database, submit: Submit, client: WireClient, parameters: Mapping[str, Value]
) -> tuple[Code, str]:
    """Take a media over. Raises WireError."""
    remote_id, url = number_of(parameters, "id"), text_of(parameters, "url")
    if remote_id is None or url is None:
        raise WireError(Code.BAD_PARAMETER, "id (a number) and url are mandatory.")
    adapter = text_of(parameters, "adapter") or "http"
    if adapter not in ADAPTERS:
        raise WireError(Code.ADAPTER_NOT_SUPPORTED, f"There is no adapter {adapter[:32]!r}.")
    if adapter not in client.adapters:
        raise WireError(Code.ADAPTER_NOT_ALLOWED, f"This account may not use the adapter {adapter}.")
    source = Source(kind=SourceKind.PATH if adapter == LOCAL else SourceKind.URL, value=url)
    tells = truth_of(parameters, "dometadata", default=True)
    callback = Callback(url=client.url, kind=CallbackKind.WIRE) if tells else None
    try:
        known = submit.find(source)
        request = JobRequest(source=source, presets=(), callback=callback)
        media.hand_over(database, client.account_id, remote_id, request, known, adapter=adapter)
    except Conflict as error:
        raise WireError(Code.ALREADY, error.message) from None
    except (FetchError, Refused) as error:
        raise WireError(Code.BAD_URL, error.message) from None
    return Code.OK, f"OK, {'Metadata' if adapter == LOCAL else 'Download'} task queued"


def request_formats(
    database: Database, presets: Mapping[int, Preset], client: WireClient, parameters: Mapping[str, Value]
) -> dict[str, Any]:
    """Ask for formats; an answer for each. Raises WireError when there is none to give."""
    remote_id, asked = number_of(parameters, "id"), list_of(parameters, "settings_id_list")
    if remote_id is None or asked is None:
        raise WireError(Code.BAD_PARAMETER, "id (a number) and settings_id_list are mandatory.")
    taken = _media(database, client, remote_id)
    if not taken.ready:
        raise WireError(Code.BAD_MEDIA, "The metadata of this media is not known, so no format can be made of it.")
    answers = {one: _order(database, presets, client, taken, one) for one in list(dict.fromkeys(asked))[:_MAX_SETTINGS]}
    codes = {one["code"] for one in answers.values()}
    if codes <= {Code.BAD_PARAMETER}:
        raise WireError(Code.BAD_PARAMETER, "None of these settings exists.")
    if codes == {Code.ALREADY}:
        raise WireError(Code.ALREADY, "All these formats were asked for already.")
    return answers


def status(database: Database, client: WireClient, parameters: Mapping[str, Value]) -> dict[str, Any]:
    """How a media and its formats stand: for clients that would rather ask than be called. Raises WireError."""
    remote_id = number_of(parameters, "id")
    if remote_id is None:
        raise WireError(Code.BAD_PARAMETER, "id (a number) is mandatory.")
    taken = _media(database, client, remote_id)
    formats = media.formats_of(database, taken)
    return {
        "id": remote_id,
        "status": _original_status(taken),
        "formats": {
            str(setting): {"status": _format_status(one.state), "message": one.error or ""}
            for setting, one in formats.items()
        },
    }


def _order(
    database: Database, presets: Mapping[int, Preset], client: WireClient, taken: WireMedia, asked: str
) -> dict[str, int | str]:
    preset = presets.get(int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else None
    if preset is None or preset.omkt is None:
        return entry(Code.BAD_PARAMETER, "There is no such setting.")
    request = JobRequest(
        source=Source(kind=SourceKind.MEDIA, value=taken.media_key),
        presets=(preset.id,),
        callback=Callback(url=client.url, kind=CallbackKind.WIRE),
    )
    try:
        media.order(database, client.account_id, taken, preset.omkt.id, request)
    except Conflict:
        return entry(Code.ALREADY, "This format was asked for already.")
    except NotFound:
        return entry(Code.EXEC, "The media is not there any more. Add it again.")
    return entry(Code.OK, "OK, Transcode task queued")


def _media(database: Database, client: WireClient, remote_id: int) -> WireMedia:
    try:
        return media.find(database, client.account_id, remote_id)
    except NotFound:
        raise WireError(Code.NOT_FOUND, f"There is no media {remote_id}.") from None


def _original_status(taken: WireMedia) -> int:
    """The original's media.status: 0 to fetch, 1 here, 2 no metadata, 3 metadata, 4 expired."""
    if taken.state is MediaState.EXPIRED:
        return 4
    if taken.state is MediaState.PROBED:
        return 3
    return int(taken.state) if taken.job_state in (JobState.QUEUED, JobState.RUNNING) else 2


def _format_status(state: JobState) -> int:
    """The original's transcodes.status: 0 asked, 1 processed, 2 error; and 4 expired, as media have it."""
    if state is JobState.EXPIRED:
        return 4
    return 1 if state is JobState.SUCCEEDED else 2 if state.is_final else 0
