"""The pages for people: the player and the API's documentation. No script or style but our own files is let in."""

import html
import time
from pathlib import Path
from string import Template
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from omkt_api.deps import TheApi
from omkt_api.routes.outputs import Token
from omkt_api.views import playable
from omkt_pipeline.domain.errors import NotFound
from omkt_pipeline.queue.overview import published_output

STATIC = Path(__file__).parent.parent / "static"

_PLAYER = Template((STATIC / "play.html").read_text())
_DOCS = (STATIC / "docs.html").read_text()
#: hls.js hands media to the video element as blobs, and runs its worker from one.
_PLAYER_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src 'self' blob:; "
    "img-src data:; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

router = APIRouter(include_in_schema=False)


@router.get("/play/{token}")
def play(token: Token, api: TheApi) -> HTMLResponse:
    """A page that plays one output."""
    link = api.links.read(token, now=time.time())
    output = published_output(api.database, link.job_key, link.output_key)
    if not playable(output.kind, output.entry):
        raise NotFound("This output is nothing to play.", code="output_not_playable")
    page = _PLAYER.substitute(
        title=html.escape(output.media_name or "Untitled"),
        preset=html.escape(output.preset),
        kind=html.escape(output.kind),
        source=html.escape(f"../v1/files/{token}/{quote(output.entry)}"),
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": _PLAYER_POLICY})


@router.get("/docs")
async def docs() -> HTMLResponse:
    """The API's documentation, to read and to try."""
    return HTMLResponse(_DOCS, headers={"Content-Security-Policy": _DOCS_POLICY})
