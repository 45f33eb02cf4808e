"""The api process: settings, checks, then HTTP until it is told to stop."""

import gc
import signal
from types import FrameType

import uvicorn

from omkt_api.app import POOL_SIZE, create_app
from omkt_pipeline.daemon import enter, read_settings
from omkt_pipeline.settings import ApiSettings

#: Objects between two looks for garbage in circles; what is in none goes at once.
_GARBAGE = 10_000
#: Open event streams would otherwise hold the process for as long as their jobs take.
_GRACE_SECONDS = 3


def main() -> None:
    settings = read_settings(ApiSettings)
    app = create_app(settings, enter(settings, service="api", pool_size=POOL_SIZE))
    # What stands now stays: nobody need look through it for garbage while requests wait, nor as often through the rest.
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    for number in (signal.SIGTERM, signal.SIGINT):
        # The server drains on these, then raises them again; by then there is nothing left to end.
        signal.signal(number, _already_stopping)
    uvicorn.run(
        app,
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def _already_stopping(_number: int, _frame: FrameType | None) -> None:
    pass


if __name__ == "__main__":
    main()
