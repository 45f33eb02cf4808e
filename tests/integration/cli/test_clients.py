"""A private farm's clients of the original's API: made, seen and stopped by the operator; and media that share its disk."""

import json
import shutil
from collections.abc import Iterator

import pytest
from tests.integration.cli.farms import Up, clip, farm_up, omkt
from tests.wire import life, wording
from tests.wire.driver import Client, Site, code, until
from tests.wire.site import serving

SITE = "127.0.0.2"


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Up, Site]]:
    folder, films = tmp_path_factory.mktemp("farm"), tmp_path_factory.mktemp("films")
    clip(films)
    with serving(films, SITE) as server:
        url = f"http://{SITE}:{server.server_port}"
        allowed = {"OMKT_ALLOWED_NETWORKS": f"{SITE}/32", "OMKT_ALLOWED_PORTS": str(server.server_port)}
        with farm_up(folder, **allowed) as up:
            shutil.copy(films / "film.mp4", next(folder.rglob("incoming")) / "shared.mp4")
            yield up, Site(url, url)


def on_the_main_host(up: Up, *words: str) -> str:
    root = up.folder / "var" / "farm"
    (database,) = root.rglob("*.db")
    where = {"OMKT_DATABASE_URL": f"sqlite:///{database}", "OMKT_SHARE_ROOT": str(next(root.rglob("incoming")).parent)}
    done = omkt(*words, cwd=up.folder, **where)
    assert done.returncode == 0, done.stderr
    return done.stdout


def made(farm: tuple[Up, Site], name: str, *adapters: str) -> Client:
    up, site = farm
    words = [word for adapter in adapters for word in ("--adapter", adapter)]
    told = on_the_main_host(
        up, "clients", "create", f"{name}@example.org", "--url", site.api(name), "--app-key", f"{name}-app-key", *words, "--json"
    )  # fmt: skip
    port = (up.folder / "var" / "farm" / "port").read_text().strip()
    return Client(f"http://127.0.0.1:{port}/api", name, site, key=json.loads(told)["transcoder_key"])


def test_a_client_that_the_operator_made_works_without_a_mail(farm: tuple[Up, Site]) -> None:
    ann = made(farm, "ann")

    life.hand_over(ann, 1, "film.mp4")

    listed = on_the_main_host(farm[0], "clients", "list")
    assert "ann@example.org  works" in listed
    assert "ann-app-key" not in listed
    assert ann.key not in listed


def test_media_on_the_shared_disk_are_taken_without_a_transfer(farm: tuple[Up, Site]) -> None:
    neighbour = made(farm, "nas", "local", "http")

    assert code(neighbour.new_media(1, "", adapter="local", url="shared.mp4")) == wording.OK
    neighbour.told("transcoder_send_metadata", 1)
    life.order(neighbour, 1, [71], "name[]=")
    told = neighbour.told("transcoder_send_format", 1, settings_id=71)
    size = json.loads(told["metadata"])["file_size"]

    assert told["adapter"] == "local"
    assert len(neighbour.pull(1, 71, size)) == size
    assert neighbour.site.calls("nas", "shared.mp4") == [], "nothing was fetched"
    for outside in ("../farm.db", "/etc/passwd", "missing.mp4", "a/../../x"):
        assert code(neighbour.new_media(2, "", adapter="local", url=outside)) == wording.BAD_URL
    assert code(made(farm, "web").new_media(1, "", adapter="local", url="shared.mp4")) == wording.ADAPTER_NOT_ALLOWED


def test_who_is_disabled_is_out_until_enabled_again(farm: tuple[Up, Site]) -> None:
    bob = made(farm, "bob")
    assert code(bob.request_formats(1, [11])) == wording.NOT_FOUND

    on_the_main_host(farm[0], "clients", "disable", "bob@example.org")
    assert code(bob.request_formats(1, [11])) == wording.DISABLED
    on_the_main_host(farm[0], "clients", "enable", "bob@example.org")

    assert code(bob.request_formats(1, [11])) == wording.NOT_FOUND


def test_a_program_that_is_denied_may_not_call(farm: tuple[Up, Site]) -> None:
    carl = made(farm, "carl")
    on_the_main_host(farm[0], "applications", "deny", "omkt-acceptance")

    refused = until(lambda: code(carl.request_formats(1, [11])), "an answer")
    on_the_main_host(farm[0], "applications", "allow", "omkt-acceptance")

    assert refused == 509
    assert code(carl.request_formats(1, [11])) == wording.NOT_FOUND
    assert "omkt-acceptance" in on_the_main_host(farm[0], "applications", "list")


def test_mistakes_of_the_operator_are_named(farm: tuple[Up, Site]) -> None:
    where = {"OMKT_DATABASE_URL": "sqlite:////nowhere/farm.db", "OMKT_SHARE_ROOT": "/nowhere"}

    done = omkt(
        "clients", "create", "x@example.org", "--url", "http://x", "--adapter", "ftp", cwd=farm[0].folder, **where
    )

    assert done.returncode == 2
    assert "ftp" in done.stderr
