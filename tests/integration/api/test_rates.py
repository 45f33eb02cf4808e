"""Rate limits over HTTP: headers on every answer, 429 beyond, accounts apart from each other, wrong keys by address."""

from pathlib import Path

from tests.integration.api.conftest import Farm, build, served
from tests.integration.api.test_jobs import refused

from omkt_api.app import create_app


def test_an_account_that_asks_too_much_is_told_when_to_come_back(tmp_path: Path) -> None:
    grounds, settings, key, other = build(tmp_path, requests_per_second=0.3)
    with served(create_app(settings, grounds)) as url:
        farm = Farm(database=grounds.database, share=grounds.share, url=url, key=key, other_key=other)
        with farm.client() as client, farm.client(other) as neighbour:
            first = client.get("/v1/jobs")
            answers = [client.get("/v1/jobs") for _ in range(5)]
            assert neighbour.get("/v1/jobs").status_code == 200
    assert first.headers["ratelimit-limit"] == "3"
    assert first.headers["ratelimit-remaining"] == "2"
    refused(answers[-1], 429, "rate_limited")
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_an_address_that_tries_keys_is_slowed_down_and_a_good_key_is_no_try(tmp_path: Path) -> None:
    grounds, settings, key, other = build(tmp_path)
    with served(create_app(settings, grounds)) as url:
        farm = Farm(database=grounds.database, share=grounds.share, url=url, key=key, other_key=other)
        with farm.client("omkt_wrong") as guesser:
            statuses = [guesser.get("/v1/jobs").status_code for _ in range(300)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
