"""Films from a site that goes wrong, through a whole embedded farm: they arrive, or the job says why not."""

import json
from collections.abc import Iterator

import pytest
from tests.integration.cli.farms import Up, clip, farm_up, until
from tests.wire.site import FOREVER, Fault, SiteServer, app_key, serving

#: The farm may reach the first; the site listens at the second too, and remembers who calls there.
SITE_ADDRESS, FORBIDDEN_ADDRESS = "127.0.0.2", "127.0.0.1"
ARRIVES = {
    "slow": [Fault.SLOW],
    "cut": [Fault.CUT_OFF],
    "cut-without-ranges": [Fault.CUT_OFF, Fault.NO_RANGE],
    "redirected": [Fault.REDIRECT],
}
DOES_NOT = {
    "missing": [Fault.NOT_FOUND, FOREVER],
    "led-inside": [Fault.REDIRECT_TO_LOOPBACK, FOREVER],
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteServer]:
    films = tmp_path_factory.mktemp("films")
    film = clip(films, seconds=1.0).read_bytes()
    with serving(films, SITE_ADDRESS, FORBIDDEN_ADDRESS) as site:
        for name, faults in (ARRIVES | DOES_NOT).items():
            (films / f"{name}.mp4").write_bytes(film)
            site.memory.faults[f"{name}.mp4"] = [str(fault) for fault in faults]
        yield site


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, site: SiteServer) -> Iterator[dict[str, dict[str, object]]]:
    """A job for each film, at its end."""
    settings = {"OMKT_ALLOWED_NETWORKS": f"{SITE_ADDRESS}/32", "OMKT_ALLOWED_PORTS": str(site.server_port)}
    with farm_up(tmp_path_factory.mktemp("farm"), **settings) as farm:
        keys = {name: submit(farm, site, name) for name in ARRIVES | DOES_NOT}
        yield {name: until(lambda key=key: if_ended(farm, key), f"the end of {name}") for name, key in keys.items()}


def submit(farm: Up, site: SiteServer, name: str) -> str:
    url = f"http://{SITE_ADDRESS}:{site.server_port}/ann/media/{name}.mp4?app_key={app_key('ann')}"
    submitted = farm.omkt("submit", url, "-p", "audio-aac")
    assert submitted.returncode == 0, submitted.stderr
    return submitted.stdout.strip()


def if_ended(farm: Up, key: str) -> dict[str, object] | None:
    job = farm.job(key)
    return job if job["state"] in ("succeeded", "failed") else None


@pytest.mark.parametrize("name", ARRIVES)
def test_a_film_arrives_over_a_bad_line(ended: dict[str, dict[str, object]], name: str) -> None:
    assert ended[name]["state"] == "succeeded", json.dumps(ended[name])


@pytest.mark.parametrize(("name", "code"), [("missing", "source_"), ("led-inside", "source_address_refused")])
def test_a_film_that_cannot_be_had_ends_its_job_with_the_reason(
    ended: dict[str, dict[str, object]], name: str, code: str
) -> None:
    assert ended[name]["state"] == "failed"
    assert code in json.dumps(ended[name]["error"])


@pytest.mark.usefixtures("ended")
def test_nobody_was_led_to_an_address_that_is_not_allowed(site: SiteServer) -> None:
    hosts = {call.host for call in site.memory.calls}

    assert hosts == {SITE_ADDRESS}
