"""The typed client against the real API: what it reads is what the API says, field for field."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel
from tests.integration.api.conftest import FILES, Farm

from omkt_client import (
    AsyncClient,
    Client,
    Problem,
    accounts,
    farm,
    jobs,
    keys,
    media,
    models,
    presets,
    uploads,
    webhooks,
)

#: Models by the names of the schema where these differ.
_NAMES = {
    "MediaName": "MediaOut", "Media": "MediaFullOut", "PlannedTask": "PlannedTaskOut", "Decision": "Decision",
    "UploadState": "UploadStateOut", "Error": "ErrorOut", "Farm": "FarmOut", "Stored": "StoredOut",
}  # fmt: skip


def models_of_the_client() -> list[type[BaseModel]]:
    found = [one for one in vars(models).values() if isinstance(one, type) and issubclass(one, models.Model)]
    return [one for one in found if one is not models.Model]


@pytest.mark.parametrize("model", models_of_the_client(), ids=lambda model: model.__name__)
def test_every_model_has_the_fields_of_the_schema(farm_: Farm, model: type[BaseModel]) -> None:
    with farm_.stranger() as client:
        schemas = client.get("/openapi.json").json()["components"]["schemas"]
    schema = schemas[_NAMES.get(model.__name__, f"{model.__name__}Out")]

    assert set(model.model_fields) == set(schema["properties"])
    for name, said in schema["properties"].items():
        may_be_null = any(one.get("type") == "null" for one in said.get("anyOf", ()))
        field = model.model_fields[name]
        assert (type(None) in getattr(field.annotation, "__args__", ())) >= may_be_null, name


@pytest.fixture
def farm_(request: pytest.FixtureRequest) -> Farm:
    found: Farm = request.getfixturevalue("farm")
    return found


@pytest.fixture
def client(farm_: Farm) -> Any:
    with Client(farm_.url, farm_.key) as made:
        yield made


def test_a_job_is_asked_for_seen_changed_and_stopped(client: Client) -> None:
    job = client.send(jobs.submit({"url": "https://media.example/a.mov"}, ["hls-h264"], tags=["t"], client_data="x"))

    assert (job.tags, job.client_data, job.presets) == (("t",), "x", ("hls-h264",))
    assert client.send(jobs.get(job.id)).id == job.id
    assert client.send(jobs.prioritise(job.id, "high")).priority == "high"
    assert job.id in [one.id for one in client.send(jobs.page(limit=100)).jobs]
    assert client.send(jobs.tasks(job.id)).tasks[0].kind == "fetch"
    assert client.send(jobs.cancel(job.id)).state == "cancelled"
    assert client.send(webhooks.of_job(job.id)).webhooks == ()
    assert client.send(jobs.retry(job.id)).state == "queued"
    client.send(jobs.cancel(job.id))


def test_what_was_made_is_read(farm_: Farm, client: Client) -> None:
    key = farm_.publish()
    output = client.send(jobs.output(key, "hls-h264"))

    assert {file.path for file in output.files} == set(FILES)
    assert b"".join(client.content(key, "hls-h264", "v/720.m3u8")) == FILES["v/720.m3u8"]
    assert [job.state for job in client.watch(key)] == ["succeeded"]
    found = client.send(media.get(str(client.send(jobs.get(key)).media.id)))  # type: ignore[union-attr]
    assert found.id in [one.id for one in client.send(media.page(limit=100)).media]
    until = datetime(2040, 1, 1, tzinfo=UTC)
    assert client.send(media.keep(found.id, until)).keep_until == until


def test_a_file_is_uploaded(client: Client, tmp_path: Path) -> None:
    film = tmp_path / "é film.mov"
    film.write_bytes(b"\0" * 100_000)
    heard: list[int] = []
    upload = client.upload(film, on_bytes=heard.append)

    assert upload.bytes == heard[-1] == 100_000
    assert client.send(uploads.get(upload.id)).complete
    assert upload.name == "é film.mov"


def test_presets_keys_and_webhooks_are_kept(client: Client) -> None:
    assert "hls-h264" in [preset.id for preset in client.send(presets.all_of_them()).presets]
    assert client.send(presets.get("hls-h264")).kind == "hls"
    made = client.send(keys.add("read me", scope="read"))
    assert made.id in [key.id for key in client.send(keys.all_of_them()).keys]
    assert client.send(keys.revoke(made.id)) is None
    new = client.send(webhooks.add_endpoint("https://hooks.example/a", ["job.failed"]))
    assert client.send(webhooks.change_endpoint(new.endpoint.id, enabled=False)).enabled is False
    assert client.send(webhooks.rotate_secret(new.endpoint.id)).secret != new.secret
    client.send(webhooks.remove_endpoint(new.endpoint.id))
    assert new.endpoint.id not in [one.id for one in client.send(webhooks.endpoints()).endpoints]


def test_an_admin_sees_the_farm_and_others_do_not(farm_: Farm, client: Client) -> None:
    assert client.send(farm.hosts()).hosts is not None
    assert {pool.pool for pool in client.send(farm.queue()).pools} >= {"metadata", "transcoder"}
    assert client.send(farm.pause(["transcoder"])).pools
    assert client.send(farm.pause([])).pools
    assert client.send(farm.troubles(limit=5)).tasks is not None
    assert client.send(farm.storage()).free_bytes > 0
    made = client.send(keys.add("no admin", scope="read"))
    with Client(farm_.url, made.key) as member, pytest.raises(Problem) as caught:
        member.send(farm.pause(["transcoder"]))

    assert caught.value.status == 403


def test_an_operator_makes_accounts_and_reads_the_trail(farm_: Farm, client: Client) -> None:
    new = client.send(accounts.create("typed", max_running=2))
    assert new.account.max_running == 2
    assert client.send(accounts.change("typed", max_running=None, weight=2.0)).max_running is None
    assert client.send(accounts.get("typed")).usage is not None
    assert "typed" in [one.name for one in client.send(accounts.page(limit=100)).accounts]
    key = client.send(accounts.add_key("typed", "second", scope="write"))
    with Client(farm_.url, key.key) as member:
        assert member.send(jobs.page()).jobs == ()
    assert client.send(accounts.trail(limit=1)).steps[0].action == "create_account_key"


def test_the_async_client_speaks_with_the_same_farm(farm_: Farm, tmp_path: Path) -> None:
    key = farm_.publish()
    film = tmp_path / "film.mov"
    film.write_bytes(b"film")

    async def ask() -> tuple[list[str], bytes, int]:
        async with AsyncClient(farm_.url, farm_.key) as client:
            assert await client.is_ready() in (True, False)
            states = [job.state async for job in client.watch(key)]
            content = b"".join([block async for block in client.content(key, "hls-h264", "master.m3u8")])
            return states, content, (await client.upload(film)).bytes

    assert asyncio.run(ask()) == (["succeeded"], FILES["master.m3u8"], 4)


def test_an_unknown_job_is_a_problem_in_both(farm_: Farm, client: Client) -> None:
    with pytest.raises(Problem) as caught:
        client.send(jobs.get("nothing"))

    assert (caught.value.status, caught.value.code) == (404, "job_unknown")
    with httpx.Client(base_url=farm_.url, trust_env=False) as raw:
        assert raw.get("/v1/jobs/nothing").status_code == 401
