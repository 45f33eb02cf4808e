"""Tell a discovery service of this public transcoder, as the original does daily. Off unless the operator names one."""

from dataclasses import asdict, dataclass
from importlib.metadata import version

import structlog

from omkt_api.connecting import Watch
from omkt_api.outside import Outside
from omkt_api.wire.callbacks import joined
from omkt_pipeline.domain.errors import OmktError
from omkt_pipeline.settings import WireSettings

log = structlog.get_logger(__name__)

_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """Who we are, and to whom it is said."""

    to: str
    name: str
    url: str
    email: str

    @classmethod
    def of(cls, settings: WireSettings) -> "Announcement":
        """What the settings say; they are complete when there is somebody to tell."""
        base = (settings.public_url or "").rstrip("/")
        return cls(
            to=settings.announce_url or "",
            name=settings.announce_name or "",
            url=f"{base}/api",
            email=settings.announce_email or "",
        )


def announce(outside: Outside, told: Announcement) -> None:
    """Say once that we are here. What goes wrong is logged; the next day counts."""
    said = {name: value for name, value in asdict(told).items() if name != "to"}
    us = {"application": "omkt", "version": version("omkt-api")}
    url = joined(told.to, {"action": "transcoder_is_available", **said, **us})
    try:
        with outside.get(url, watch=Watch.for_seconds(_SECONDS)) as answer:
            log.info("announced", event_code="announced", status=answer.status)
    except OmktError as error:
        log.warning(error.message, event_code="announce_failed", code=error.code)
