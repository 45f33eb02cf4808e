"""The HTTP API, put together: `create_app` is its wiring diagram."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector

from omkt_api import problems
from omkt_api.cors import FilesCors
from omkt_api.deps import Api, KnownKeys, share_threads
from omkt_api.envelope import Envelope
from omkt_api.guard import OutsidePolicy
from omkt_api.links import Links
from omkt_api.rates import WRONG_KEYS_PER_SECOND, Buckets
from omkt_api.routes import (
    accounts,
    deliveries,
    endpoints,
    farm,
    feed,
    health,
    hosts,
    jobs,
    keys,
    media,
    outputs,
    pages,
    presets,
    uploads,
)
from omkt_api.tus import TusVersion
from omkt_api.wire.calls import Wire
from omkt_api.wire.routes import router as wire_router
from omkt_pipeline.daemon import Grounds, enter
from omkt_pipeline.metrics import QueueCollector
from omkt_pipeline.presets import shipped
from omkt_pipeline.queue.farm import link_key
from omkt_pipeline.queue.presets import KnownPresets
from omkt_pipeline.settings import ApiSettings

#: Connections kept, and as many again in a rush: together they serve every thread that routes run in (40).
POOL_SIZE = 20

_DESCRIPTION = """
Submit media, ask for outputs by preset, watch the work, fetch or stream the results.

Every request under `/v1` but `/v1/files` carries an API key: `Authorization: Bearer omkt_…`. Errors are
`application/problem+json` with a stable `code`. What belongs to another account does not exist for you: 404.
"""


def create_app(settings: ApiSettings, grounds: Grounds | None = None) -> FastAPI:
    """Build the app. Without grounds it enters the farm itself, and ends the process when that is refused."""
    grounds = grounds or enter(settings, service="api", pool_size=POOL_SIZE)
    api = Api(
        database=grounds.database,
        share=grounds.share,
        links=Links(link_key(grounds.database)),
        presets=KnownPresets(grounds.database, shipped()),
        policy=OutsidePolicy(allowed_networks=settings.allowed_networks, allowed_ports=settings.allowed_ports),
        keys=KnownKeys(),
        requests=Buckets(settings.requests_per_second),
        wrong_keys=Buckets(WRONG_KEYS_PER_SECOND),
        share_threads=share_threads(),
        public_url=settings.public_url,
        accel_prefix=settings.accel_prefix,
        max_json_bytes=settings.max_json_bytes,
        max_upload_bytes=settings.fetch_max_bytes,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        grounds.database.close()

    app = _Documented(
        title="OpenMediaKit Transcoder",
        description=_DESCRIPTION,
        version=version("omkt-api"),
        license_info={"name": "Apache-2.0"},
        lifespan=lifespan,
        docs_url=None,  # ours, without scripts from elsewhere
        redoc_url=None,
    )
    registry = _registry(api)
    app.state.api = api
    app.state.registry = registry
    app.state.readiness = health.Readiness(api)
    app.state.wire = Wire(api, public=settings.wire_public, calls_per_minute=settings.wire_calls_per_minute)
    for router in (
        jobs.router,
        deliveries.router,
        endpoints.router,
        feed.router,
        media.router,
        media.plans,
        keys.router,
        outputs.keyed,
        outputs.signed,
        outputs.zips,
        uploads.router,
        presets.router,
        hosts.router,
        accounts.router,
        farm.router,
        health.router,
        pages.router,
        wire_router,
    ):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=pages.STATIC), name="static")
    problems.install(app)
    if settings.cors_origins:
        app.add_middleware(FilesCors, origins=settings.cors_origins)
    app.add_middleware(TusVersion)
    app.add_middleware(Envelope, registry=registry)
    return app


class _Documented(FastAPI):
    """Adds the one schema that no route returns but every route can answer with."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            schemas = super().openapi()["components"]["schemas"]
            problem = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= problem.pop("$defs", {}) | {"Problem": problem}
        assert self.openapi_schema is not None  # noqa: S101 - made above
        return self.openapi_schema


def _registry(api: Api) -> CollectorRegistry:
    """The measurements of this app; its own, so that two of them can live in one process."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(QueueCollector(api.database))
    return registry
