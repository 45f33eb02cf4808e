"""Media, plans, and what can be asked of jobs beside their outputs, over HTTP."""

from datetime import UTC, datetime, timedelta

from tests.integration.api.conftest import Farm, job
from tests.integration.api.test_jobs import refused

from omkt_pipeline.domain.effects import Probed, Settlement
from omkt_pipeline.domain.media import AudioTrack, MediaFacts, VideoTrack
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue.settle import settle

FACTS = MediaFacts(
    container="mov,mp4",
    duration=10.0,
    bytes=4,
    video=(
        VideoTrack(index=0, codec="h264", width=1280, height=720, average_rate="25", base_rate="25", duration=10.0),
    ),
    audio=(AudioTrack(index=1, codec="aac", channels=2, sample_rate=48000, duration=10.0),),
)


def a_probed_media(farm: Farm) -> str:
    with farm.client() as client:
        for waiting in client.get("/v1/jobs?limit=100").json()["jobs"]:
            client.post(f"/v1/jobs/{waiting['id']}/cancel")
        key = str(client.post("/v1/uploads?name=film.mov", content=b"film").json()["id"])
        client.post("/v1/jobs", json=job(source={"upload": key}))
        raw = {"format": {"filename": "/mnt/share/originals/x", "format_name": "mov"}}
        settle(
            farm.database,
            farm.claim(Pool.METADATA),
            Settlement(effect=Probed(facts=FACTS.model_dump(mode="json"), raw=raw)),
        )
    return key


def test_a_media_is_shown_with_what_probing_found_and_no_path_of_a_host(farm: Farm) -> None:
    key = a_probed_media(farm)
    with farm.client() as client:
        seen = client.get(f"/v1/media/{key}")
        listed = client.get("/v1/media?limit=1").json()
    body = seen.json()
    assert (body["state"], body["name"], body["facts"]["duration"]) == ("probed", "film.mov", 10.0)
    assert body["probe"]["format"] == {"format_name": "mov"}
    assert "/mnt/share" not in seen.text
    assert listed["media"][0]["id"] == key


def test_a_plan_says_what_a_job_would_do_and_stores_nothing(farm: Farm) -> None:
    key = a_probed_media(farm)
    with farm.client() as client:
        before = client.get("/v1/jobs?limit=100").json()
        plan = client.post("/v1/plans", json={"media": key, "presets": ["hls-h264", "audio-aac"]}).json()
        assert client.get("/v1/jobs?limit=100").json() == before
        refused(client.post("/v1/plans", json={"media": key, "presets": ["nothing"]}), 400, "preset_unknown")
    assert plan.get("outputs") == ["hls-h264", "audio-aac"], plan
    assert {one["kind"] for one in plan["tasks"]} == {"encode", "package"}
    assert plan["cost"] > 0
    assert plan["decisions"]
    commands = [command for one in plan["tasks"] for command in one["commands"]]
    assert {command[0] for command in commands} == {"ffmpeg"}
    assert sum("libx264" in command for command in commands) == 1
    assert not any("originals/" in word for command in commands for word in command)


def test_a_job_on_a_media_needs_no_second_probe_and_a_media_in_use_stays(farm: Farm) -> None:
    key = a_probed_media(farm)
    with farm.client() as client:
        made = client.post("/v1/jobs", json=job(source={"media": key})).json()
        assert [one["kind"] for one in client.get(f"/v1/jobs/{made['id']}/tasks").json()["tasks"]] == ["plan"]
        refused(client.delete(f"/v1/media/{key}"), 409, "media_in_use")
        for waiting in client.get("/v1/jobs?limit=100").json()["jobs"]:
            client.post(f"/v1/jobs/{waiting['id']}/cancel")
        assert client.delete(f"/v1/media/{key}").status_code == 204
        refused(client.post("/v1/jobs", json=job(source={"media": key})), 404, "media_unknown")
        assert client.get(f"/v1/jobs/{made['id']}").json()["state"] == "expired"


def test_tags_times_and_priority_are_echoed_and_priority_changes(farm: Farm) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    wanted = {"tags": ["a"], "not_before": later.isoformat(), "deadline": (later + timedelta(hours=1)).isoformat()}
    with farm.client() as client:
        made = client.post("/v1/jobs", json=job(**wanted)).json()
        assert made["tags"] == ["a"]
        assert datetime.fromisoformat(made["not_before"]) == later
        changed = client.patch(f"/v1/jobs/{made['id']}", json={"priority": "high"})
        assert changed.json()["priority"] == "high"
        refused(client.post("/v1/jobs", json=job(**wanted | {"deadline": later.isoformat()})), 422, "request_invalid")
        refused(client.post("/v1/jobs", json=job(not_before="2026-01-01T00:00:00")), 422, "request_invalid")


def test_webhooks_are_listed_and_sent_again(farm: Farm) -> None:
    with farm.client() as client:
        made = client.post("/v1/jobs", json=job(callback={"url": "https://shop.example/hook"})).json()
        client.post(f"/v1/jobs/{made['id']}/cancel")
        (hook,) = client.get(f"/v1/jobs/{made['id']}/webhooks").json()["webhooks"]
        again = client.post(f"/v1/jobs/{made['id']}/webhooks/{hook['id']}/replay")
        refused(client.post(f"/v1/jobs/{made['id']}/webhooks/msg_x/replay"), 404, "webhook_unknown")
    assert (hook["type"], hook["state"]) == ("job.cancelled", "due")
    assert again.status_code == 202


def test_a_media_is_brought_without_making_anything_and_probed_again(farm: Farm) -> None:
    with farm.client() as client:
        answer = client.post(
            "/v1/media", json={"source": {"upload": client.post("/v1/uploads", content=b"film").json()["id"]}}
        )
        brought = answer.json()
        assert (answer.status_code, brought["presets"], brought["state"]) == (202, [], "queued")
        address = f"/v1/media/{brought['media']['id']}"
        refused(client.post(f"{address}/probe"), 409, "media_in_use")
        client.post(f"/v1/jobs/{brought['id']}/cancel")

        again = client.post(f"{address}/probe")

        assert (again.status_code, again.json()["media"]["id"]) == (202, brought["media"]["id"])
        client.post(f"/v1/jobs/{again.json()['id']}/cancel")
        refused(client.post("/v1/media/none/probe"), 404, "media_unknown")


def test_several_media_make_a_source(farm: Farm) -> None:
    keys = [a_probed_media(farm), a_probed_media(farm)]
    with farm.client() as client, farm.client(farm.other_key) as other:
        made = client.post("/v1/jobs", json=job(source={"concat": keys})).json()

        assert made["source"] == {"kind": "concat", "value": ",".join(keys)}
        assert [task["kind"] for task in client.get(f"/v1/jobs/{made['id']}/tasks").json()["tasks"]] == [
            "concat", "probe", "plan",
        ]  # fmt: skip
        refused(other.post("/v1/jobs", json=job(source={"concat": keys})), 404, "media_unknown")
        refused(client.post("/v1/jobs", json=job(source={"concat": keys[:1]})), 422, "request_invalid")
        refused(client.post("/v1/jobs", json=job(source={"concat": ["a,b", keys[0]]})), 422, "request_invalid")


def test_how_long_an_original_is_kept_is_its_owners_to_say(farm: Farm) -> None:
    job_key = farm.publish()
    with farm.client() as client, farm.client(farm.other_key) as other:
        media = client.get(f"/v1/jobs/{job_key}").json()["media"]["id"]
        assert client.get(f"/v1/media/{media}").json()["keep_until"] is None
        kept = client.patch(f"/v1/media/{media}", json={"keep_until": "2040-01-02T03:04:05+02:00"})
        assert kept.status_code == 200
        assert kept.json()["keep_until"].startswith("2040-01-02T01:04:05")
        assert client.patch(f"/v1/media/{media}", json={"keep_until": None}).json()["keep_until"] is None
        for nonsense in ({}, {"keep_until": "soon"}, {"keep_until": "2040-01-02T03:04:05"}, {"name": "x"}):
            assert client.patch(f"/v1/media/{media}", json=nonsense).status_code == 422
        assert other.patch(f"/v1/media/{media}", json={"keep_until": None}).status_code == 404
