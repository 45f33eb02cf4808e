"""The calls of the original's API: who calls, may they, and which method answers."""

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from fastapi import Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from omkt_api.deps import Api
from omkt_api.submit import Submit
from omkt_api.wire import handing_over, pulling, subscribing
from omkt_api.wire.catalogue import by_number, catalogue
from omkt_api.wire.codes import Code, WireError, wrapped
from omkt_api.wire.limits import CallLimit
from omkt_api.wire.php import Value, text_of
from omkt_pipeline.domain.errors import OmktError, Refused, Unavailable
from omkt_pipeline.presets import shipped
from omkt_pipeline.queue.wire.applications import admit
from omkt_pipeline.queue.wire.clients import WireClient, client_of

log = structlog.get_logger(__name__)

#: Callers without a key have the same number of calls in twice the time.
_SECONDS, _ANONYMOUS_SECONDS = 60.0, 120.0
_PAGE = """<!DOCTYPE html><html lang="en"><title>OpenMediaKit Transcoder</title>
<h1>OpenMediaKit Transcoder</h1><p>This is the address of an API for programs. {more}</p></html>"""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request: its parameters, and whence it came."""

    parameters: Mapping[str, Value]
    address: str
    request: Request


class Wire:
    """The five methods and one more, bound to a farm."""

    def __init__(self, api: Api, *, public: bool, calls_per_minute: int) -> None:
        self._api = api
        self._public = public
        self._presets = by_number(shipped().values())
        self._submit = Submit(api.database, api.share, api.presets, api.policy)
        self._calls = CallLimit(calls_per_minute, _SECONDS)
        self._anonymous = CallLimit(calls_per_minute, _ANONYMOUS_SECONDS)
        self._methods: Mapping[str, Callable[[Call], Response]] = {
            "app_subscribe": self._app_subscribe,
            "app_get_settings": self._app_get_settings,
            "app_new_media": self._app_new_media,
            "app_request_format": self._app_request_format,
            "app_get_media": self._app_get_media,
            "app_get_status": self._app_get_status,
        }

    def answer(self, call: Call) -> Response:
        """Answer a call, whatever it is. Blocks on the database and on the share."""
        action = text_of(call.parameters, "action")
        if action is None:
            return HTMLResponse(_PAGE.format(more="Ask its operator how to use it."))
        try:
            method = self._methods.get(action)
            if method is None:
                raise WireError(Code.NOT_FOUND, "There is no such method.")
            return method(call)
        except WireError as error:
            log.info("wire call refused", event_code="wire_refused", action=action[:32], code=int(error.code))
            return wrapped(error.code, error.message, status=error.status)
        except Unavailable as error:
            log.warning(error.message, event_code="request_unavailable", code=error.code, action=action)
            return wrapped(Code.EXEC, "The transcoder cannot do this now. Try again later.")
        except OmktError as error:
            log.warning(error.message, event_code="wire_failed", code=error.code, action=action)
            return wrapped(Code.EXEC, error.message)

    def _app_subscribe(self, call: Call) -> Response:
        self._anybody(call)
        if not self._public:
            raise WireError(Code.NOT_PUBLIC, "This transcoder is private. Its operator makes accounts.")
        wanted = subscribing.wanted(call.parameters, self._api.policy)
        self._admit(wanted.application, wanted.version)
        key = subscribing.subscribe(self._api.database, wanted)
        log.info("a client subscribed", event_code="wire_subscribed", email=wanted.email)
        return JSONResponse({"apikey": key, "settings": catalogue(self._presets)})

    def _app_get_settings(self, call: Call) -> Response:
        self._anybody(call)
        return JSONResponse(catalogue(self._presets))

    def _app_new_media(self, call: Call) -> Response:
        client = self._client(call)
        code, message = handing_over.new_media(self._api.database, self._submit, client, call.parameters)
        return wrapped(code, message)

    def _app_request_format(self, call: Call) -> Response:
        client = self._client(call)
        return JSONResponse(handing_over.request_formats(self._api.database, self._presets, client, call.parameters))

    def _app_get_media(self, call: Call) -> Response:
        client = self._client(call, counted=False)
        return pulling.piece_of(self._api, client, call.parameters, call.request)

    def _app_get_status(self, call: Call) -> Response:
        client = self._client(call)
        return JSONResponse(handing_over.status(self._api.database, client, call.parameters))

    def _anybody(self, call: Call) -> None:
        if not self._anonymous.take(call.address):
            raise WireError(Code.RATE_LIMIT, "Too many calls from this address. Wait two minutes.")

    def _client(self, call: Call, *, counted: bool = True) -> WireClient:
        """Who calls. Raises WireError for somebody who may not, or not now."""
        key, application, version = (
            text_of(call.parameters, name) for name in ("transcoder_key", "application", "version")
        )
        if key is None or application is None or version is None:
            raise WireError(Code.MANDATORY, "transcoder_key, application and version are mandatory.")
        if self._anonymous.full(call.address):
            raise WireError(Code.RATE_LIMIT, "Too many calls from this address. Wait two minutes.")
        try:
            client = client_of(self._api.database, key)
        except Refused:
            self._anonymous.take(call.address)
            raise WireError(Code.NO_KEY, "This key is unknown.") from None
        self._admit(application, version)
        if not client.enabled:
            raise WireError(Code.DISABLED, "This account is disabled.", status=403)
        if not client.validated:
            said = "This account works when the link of the mail to its address has been followed."
            raise WireError(Code.DISABLED, said, status=403)
        if counted and not self._calls.take(client.account_id):
            raise WireError(Code.RATE_LIMIT, "Too many calls. Wait a minute.")
        return client

    def _admit(self, application: str, version: str) -> None:
        if not admit(self._api.database, application, version):
            raise WireError(Code.APPLICATION_NOT_ALLOWED, "This application may not use this transcoder.")


def page(text: str, *, status: int = 200) -> HTMLResponse:
    """A sentence for a person who followed a link."""
    return HTMLResponse(_PAGE.format(more=html.escape(text)), status_code=status)
