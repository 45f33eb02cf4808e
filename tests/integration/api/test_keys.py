"""Keys: shown once, of a scope, until they expire or are revoked."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.integration.api.conftest import Farm, job
from tests.integration.api.test_jobs import refused

from omkt_pipeline.domain.account import ApiKey, Scope
from omkt_pipeline.domain.errors import Refused
from omkt_pipeline.queue.accounts import authenticate


def made(farm: Farm, **wanted: Any) -> dict[str, str]:
    with farm.client() as client:
        answer = client.post("/v1/keys", json={"name": "test"} | wanted)
    assert answer.status_code == 201, answer.text
    body: dict[str, str] = answer.json()
    return body


def test_a_key_is_in_clear_once_and_works(farm: Farm) -> None:
    key = made(farm, name="shop")
    with farm.client(key["key"]) as client:
        assert client.post("/v1/jobs", json=job()).status_code == 201
    with farm.client() as admin:
        listed = admin.get("/v1/keys")
    mine = next(one for one in listed.json()["keys"] if one["id"] == key["id"])
    assert (mine["name"], mine["scope"]) == ("shop", "write")
    assert mine["used_at"]
    secret = ApiKey.parse(key["key"])
    assert secret.secret not in listed.text
    assert secret.hash not in listed.text


def test_a_key_to_read_changes_nothing_on_any_route(farm: Farm) -> None:
    key = made(farm, scope="read")["key"]
    with farm.stranger() as anybody:
        paths = anybody.get("/openapi.json").json()["paths"]
    with farm.client(key) as reader:
        assert reader.get("/v1/jobs").status_code == 200
        for path, methods in paths.items():
            for method in set(methods) & {"post", "put", "patch", "delete"}:
                refused(reader.request(method, path), 403, "scope_missing")


@pytest.mark.parametrize("scope", [Scope.READ, Scope.WRITE])
def test_only_an_admins_key_handles_keys(farm: Farm, scope: Scope) -> None:
    key = made(farm, scope=scope)
    with farm.client(key["key"]) as client:
        refused(client.get("/v1/keys"), 403, "scope_missing")
        refused(client.post("/v1/keys", json={"name": "more", "scope": "admin"}), 403, "scope_missing")
        refused(client.delete(f"/v1/keys/{key['id']}"), 403, "scope_missing")


def test_a_revoked_and_an_expired_key_are_useless(farm: Farm) -> None:
    revoked = made(farm)
    expired = made(farm, expires_at=(datetime.now(UTC) - timedelta(seconds=5)).isoformat())
    living = made(farm, expires_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    with farm.client() as admin:
        for _ in range(2):
            assert admin.delete(f"/v1/keys/{revoked['id']}").status_code == 204
    for key in (revoked, expired):
        with farm.client(key["key"]) as client:
            refused(client.get("/v1/jobs"), 401, "key_invalid")
        with pytest.raises(Refused):
            authenticate(farm.database, key["key"])
    with farm.client(living["key"]) as client:
        assert client.get("/v1/jobs").status_code == 200


def test_a_scope_covers_those_before_it() -> None:
    assert [[one.covers(other) for other in Scope] for one in Scope] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
