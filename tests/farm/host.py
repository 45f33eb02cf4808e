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
        lines = [line for one in self.compose("ps", "--all", "-q", service).split() for line in self._logged(one)]
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def _logged(self, container: str) -> list[str]:
        """All that a container logged or, where a power loss broke the engine's file in the middle, the newest of it: Compose
        would leave out what follows the break, and say nothing."""
        for newest in ("all", *(str(round(4000 * 0.8**step)) for step in range(24))):
            answer = self.guest.run("docker", "logs", "--tail", newest, container, check=False)
            if answer.status == 0:
                break
        return (answer.out + answer.err).splitlines()

    def said(self, service: str, event_code: str) -> list[dict[str, Any]]:
        return [event for event in self.events(service) if event.get("event_code") == event_code]

    def media_tools(self) -> list[str]:
        """Command lines of the ffmpegs that run here, whoever started them."""
        return self.guest.run("pgrep", "-a", "^ff(mpeg|probe)", check=False).out.splitlines()
