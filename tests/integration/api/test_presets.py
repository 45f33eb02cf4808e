"""/v1/presets: listing them, and those that operators add."""

import pytest
from tests.integration.api.conftest import Farm, job
from tests.integration.api.test_jobs import refused

FINE = {"extends": "mp4-720p", "settings": {"video": {"rungs": [{"size": 720, "crf": 18, "max_kbps": 9000}]}}}


def test_an_operators_preset_extends_one_and_can_be_asked_for_at_once(farm: Farm) -> None:
    with farm.client() as client, farm.client(farm.other_key) as other:
        made = client.put("/v1/presets/fine", json=FINE).json()
        assert (made["kind"], made["version"], made["own"]) == ("film", 1, True)
        assert made["settings"]["video"]["rungs"][0]["crf"] == 18
        assert made["settings"]["video"]["max_rate"] == 60, "what is not said stays"
        assert "at constant quality up to 9000" in made["title"]
        assert made in other.get("/v1/presets").json()["presets"]
        assert other.post("/v1/jobs", json=job(presets=["fine"])).status_code == 201
        assert client.delete("/v1/presets/fine").status_code == 204
        refused(client.post("/v1/jobs", json=job(presets=["fine"])), 400, "preset_unknown")
        refused(client.delete("/v1/presets/fine"), 404, "preset_unknown")


def test_its_version_grows_when_it_changes_and_only_then(farm: Farm) -> None:
    with farm.client() as client:
        versions = [
            client.put("/v1/presets/mine", json={**FINE, "title": title}).json()["version"] for title in ("a", "a", "b")
        ]
        assert versions == [1, 1, 2]
        whole = client.get("/v1/presets/mine").json()
        again = client.put("/v1/presets/mine", json={key: whole[key] for key in ("kind", "title", "settings")}).json()
        assert again == whole, "what is shown can be sent back"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"extends": "nothing"}, "nothing"),
        ({"settings": {}}, "kind"),
        ({"kind": "film", "settings": {"video": {}}}, "rungs"),
        ({**FINE, "settings": {"video": {"codec": "; rm -rf"}}}, "codec"),
        ({**FINE, "settings": {"container": "flv", "audio": {"codec": "opus"}}}, "flv does not carry opus"),
        ({**FINE, "settings": {"colour": "blue"}}, "colour"),
        ({**FINE, "settings": {"omkt": {"id": 1, "slug": "a", "extension": "mp4"}}}, "original"),
    ],
)
def test_what_is_no_preset_is_refused_with_what_is_wrong_where(
    farm: Farm, wanted: dict[str, object], said: str
) -> None:
    with farm.client() as client:
        answer = client.put("/v1/presets/wrong", json=wanted)
        refused(answer, 422, "preset_invalid")
        assert said in answer.json()["detail"]
        refused(client.get("/v1/presets/wrong"), 404, "preset_unknown")


def test_presets_that_come_with_the_farm_stay_as_they_are(farm: Farm) -> None:
    with farm.client() as client:
        refused(client.put("/v1/presets/hls-h264", json=FINE), 409, "preset_shipped")
        refused(client.delete("/v1/presets/hls-h264"), 409, "preset_shipped")


def test_only_operators_add_and_remove(farm: Farm) -> None:
    with farm.client(farm.other_key) as client:
        refused(client.put("/v1/presets/fine", json=FINE), 403, "operator_only")
        refused(client.delete("/v1/presets/fine"), 403, "operator_only")


TEASER = {"id": "teaser", "preset": "mp4-720p", "settings": {"trim": {"start": 1.5, "end": 3}}}


def test_a_job_changes_settings_of_a_preset_for_itself(farm: Farm) -> None:
    with farm.client() as client:
        made = client.post("/v1/jobs", json=job(presets=["mp4-720p", TEASER])).json()
        assert made["presets"] == ["mp4-720p", "teaser"]
        assert client.get(f"/v1/jobs/{made['id']}").json()["presets"] == ["mp4-720p", "teaser"]


@pytest.mark.parametrize(
    ("presets", "status", "code"),
    [
        ([{**TEASER, "preset": "nothing"}], 400, "preset_unknown"),
        ([{**TEASER, "settings": {"trim": {"start": 3, "end": 1}}}], 422, "preset_invalid"),
        (
            [{**TEASER, "settings": {"video": {"rungs": [{"size": 99999, "crf": 1, "max_kbps": 1}]}}}],
            422,
            "preset_invalid",
        ),
        ([{**TEASER, "settings": {"omkt": {"id": 1, "slug": "a", "extension": "mp4"}}}], 422, "preset_invalid"),
        (["mp4-720p", {"preset": "mp4-720p", "settings": {}}], 422, "request_invalid"),
        ([{**TEASER, "id": "../x"}], 422, "preset_invalid"),
    ],
)
def test_what_cannot_be_changed_is_refused(farm: Farm, presets: list[object], status: int, code: str) -> None:
    with farm.client() as client:
        refused(client.post("/v1/jobs", json=job(presets=presets)), status, code)
