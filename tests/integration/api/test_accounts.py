"""/v1/accounts and the trail: operators make accounts and limit them, and everything that somebody changed can be looked up."""

from typing import Any

import httpx
import pytest
from tests.integration.api.conftest import Farm, job
from tests.integration.api.test_jobs import refused


def made(farm: Farm, name: str, **how: Any) -> dict[str, Any]:
    with farm.client() as operator:
        answer = operator.post("/v1/accounts", json={"name": name, **how})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_new_accounts_key_works_within_its_limits(farm: Farm) -> None:
    new = made(farm, "new", max_upload_bytes=3, weight=2.5)

    assert new["account"]["max_upload_bytes"] == 3
    assert new["account"]["usage"] == {"original_bytes": 0, "result_bytes": 0, "minutes_today": 0.0}
    assert new["webhook_secret"].startswith("whsec_")
    with farm.client(new["key"]) as client:
        assert client.post("/v1/uploads", content=b"abc").status_code == 201
        refused(client.post("/v1/uploads", content=b"abcd"), 413, "quota_upload")


def test_limits_are_changed_one_by_one_and_taken_away_by_null(farm: Farm) -> None:
    made(farm, "changing", max_bytes=10, max_running=4)
    with farm.client() as operator:
        changed = operator.patch("/v1/accounts/changing", json={"max_running": None, "weight": 3}).json()
        assert (changed["max_bytes"], changed["max_running"], changed["weight"]) == (10, None, 3.0)
        assert operator.get("/v1/accounts/changing").json() == changed
        refused(operator.patch("/v1/accounts/nobody", json={}), 404, "account_unknown")
        refused(operator.post("/v1/accounts", json={"name": "changing"}), 409, "account_exists")
        refused(operator.post("/v1/accounts", json={"name": "a/b"}), 422, "request_invalid")


def test_all_accounts_are_listed_by_name_in_pages(farm: Farm) -> None:
    for name in ("page-1", "page-2", "page-3"):
        made(farm, name)
    with farm.client() as operator:
        page = operator.get("/v1/accounts", params={"after": "page", "limit": 2}).json()
        assert [one["name"] for one in page["accounts"]] == ["page-1", "page-2"]
        rest = operator.get("/v1/accounts", params={"after": page["next"]}).json()
        assert rest["accounts"][0]["name"] == "page-3"


def test_a_farm_keeps_an_operator(farm: Farm) -> None:
    with farm.client() as operator:
        names = [one["name"] for one in operator.get("/v1/accounts?limit=100").json()["accounts"] if one["operator"]]
        assert len(names) == 1
        refused(operator.patch(f"/v1/accounts/{names[0]}", json={"operator": False}), 409, "last_operator")


def test_an_account_that_lost_its_keys_gets_another(farm: Farm) -> None:
    made(farm, "forgetful")
    with farm.client() as operator:
        key = operator.post("/v1/accounts/forgetful/keys", json={"name": "again", "scope": "read"}).json()["key"]
    with farm.client(key) as client:
        assert client.get("/v1/jobs").json() == {"jobs": [], "next": None}
        refused(client.post("/v1/jobs", json=job()), 403, "scope_missing")


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", ""), ("GET", "/x"), ("PATCH", "/x")])
def test_who_is_no_operator_sees_no_account(farm: Farm, method: str, path: str) -> None:
    with farm.client(farm.other_key) as other:
        refused(other.request(method, f"/v1/accounts{path}", json={"name": "x"}), 403, "operator_only")


def trail(client: httpx.Client, **how: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/v1/farm/trail", params=how).json()["steps"]
    return found


def test_what_somebody_changed_stands_in_the_trail_and_no_secret_with_it(farm: Farm) -> None:
    with farm.client(farm.other_key) as other, farm.client() as operator:
        key = other.post("/v1/keys", json={"name": "for the trail"}).json()
        other.delete(f"/v1/keys/{key['id']}")
        other.get("/v1/keys")
        refused(other.delete("/v1/keys/none"), 404, "key_unknown")
        revoked, created = trail(operator, account="theirs", limit=2)

    assert (created["action"], created["target"]) == ("create_key", "/v1/keys")
    assert (revoked["action"], revoked["target"]) == ("revoke_key", f"/v1/keys/{key['id']}")
    assert revoked["key"] == farm.other_key.split("_")[1]
    assert revoked["address"] == "127.0.0.1"
    assert key["key"] not in str([revoked, created])


def test_the_trail_is_read_in_pages(farm: Farm) -> None:
    with farm.client() as operator:
        for _ in range(3):
            operator.delete(f"/v1/keys/{operator.post('/v1/keys', json={'name': 'x'}).json()['id']}")
        page = operator.get("/v1/farm/trail?limit=2").json()
        rest = trail(operator, limit=2, before=page["next"])
    numbers = [one["id"] for one in [*page["steps"], *rest]]
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) == 4
