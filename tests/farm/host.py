"""A host of the farm as its operator sees it: a checkout in /opt/omkt, `docker compose` in it."""

import json
from typing import Any

from tests.farm.lab.guest import Guest

CHECKOUT = "/opt/omkt"


class Host:
    """One guest that runs a part of the farm."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest

    @property
    def name(self) -> str:
        return self.guest.name

    def check_out(self) -> None:
        """Put this checkout's deployment there, as `git clone` would."""
        self.guest.sh(
            f"mkdir -p {CHECKOUT} && cp -r /lab/checkout/. {CHECKOUT}/ && until docker version; do sleep 0.5; done"
        )

    def settings(self, settings: dict[str, str]) -> None:
        """Write settings into its .env; what is said there already is said anew."""
        path = f"{CHECKOUT}/.env"
        kept = [line for line in self.guest.run("cat", path).out.splitlines() if line.split("=")[0] not in settings]
        self.guest.write(path, "\n".join([*kept, *(f"{name}={value}" for name, value in settings.items())]) + "\n")

    def compose(self, *words: str, seconds: float = 600, check: bool = True) -> str:
        """`docker compose` in the checkout."""
        return self.guest.run("env", "-C", CHECKOUT, "docker", "compose", *words, seconds=seconds, check=check).out

    def containers(self, service: str) -> list[str]:
        return self.compose("ps", "-q", service).split()

    def events(self, service: str) -> list[dict[str, Any]]:
        """What a service's daemons logged, oldest first for each container."""
        lines = self.compose("logs", "--no-color", "--no-log-prefix", service, check=False).splitlines()
        # Compose 2.26 puts "erase this line" before some of them, even where nobody looks.
        return [json.loads(line[line.index("{") :]) for line in lines if "{" in line and line.endswith("}")]

    def said(self, service: str, event_code: str) -> list[dict[str, Any]]:
        return [event for event in self.events(service) if event.get("event_code") == event_code]

    def media_tools(self) -> list[str]:
        """Command lines of the ffmpegs that run here, whoever started them."""
        return self.guest.run("pgrep", "-a", "^ff(mpeg|probe)", check=False).out.splitlines()
