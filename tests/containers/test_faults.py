"""kill -9 of any container at any moment of a job loses nothing, and the job still ends well."""

import pytest

from tests.containers.farm import ContainerFarm, wait_for


def begun(farm: ContainerFarm, key: str, kind: str) -> bool:
    return any(task["kind"] == kind and task["state"] == "running" for task in farm.tasks(key))


def test_scaling_out_adds_workers_that_share_a_batch(farm: ContainerFarm) -> None:
    farm.compose("up", "-d", "--wait", "--scale", "transcoder=3")
    keys = [farm.submit(source={"url": "http://outsider:8000/clip.mp4"}, presets=["mp4-720p"]) for _ in range(4)]

    assert [farm.ended(key)["state"] for key in keys] == ["succeeded"] * 4
    assert len(farm.containers("transcoder")) == 3


@pytest.mark.parametrize("service", ["transcoder", "metadata", "courier", "mysql", "api"])
def test_killing_a_container_in_the_middle_of_a_job_loses_nothing(farm: ContainerFarm, service: str) -> None:
    key = farm.submit(source={"url": "http://outsider:8000/long.mp4"}, presets=["hls-h264"])
    wait_for(lambda: begun(farm, key, "encode"), seconds=60, what="the encode to begin")

    for container in farm.containers(service):
        farm.kill_9(container)

    job = farm.ended(key, seconds=240)
    assert job["state"] == "succeeded", job
    successes = [sum(tried["outcome"] == "ok" for tried in task["history"]) for task in farm.tasks(key)]
    assert successes == [1] * len(successes)
    farm.compose("up", "-d", "--wait")


def test_stopping_a_transcoder_gives_its_task_back_at_no_cost(farm: ContainerFarm) -> None:
    farm.compose("up", "-d", "--wait", "--scale", "transcoder=1")
    key = farm.submit(source={"url": "http://outsider:8000/long.mp4"}, presets=["hls-h264"])
    wait_for(lambda: begun(farm, key, "encode"), seconds=60, what="the encode to begin")

    farm.compose("stop", "transcoder")

    outcomes = [attempt["outcome"] for task in farm.tasks(key) for attempt in task["history"]]
    assert "released" in outcomes
    assert not {"failed", "lost"} & set(outcomes)
    farm.compose("up", "-d", "--wait")
    assert farm.ended(key)["state"] == "succeeded"
