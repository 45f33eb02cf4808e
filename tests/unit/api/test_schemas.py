"""What a client may send."""

from typing import Any

import pytest
from pydantic import ValidationError

from omkt_api.schemas import JobCreate
from omkt_api.submit import job_request
from omkt_pipeline.domain.job import Priority, Source, SourceKind

GOOD: dict[str, Any] = {"source": {"path": "films/a.mov"}, "presets": ["hls-h264"]}


def test_the_smallest_request_has_defaults() -> None:
    request = job_request(JobCreate.model_validate(GOOD), None)

    assert request.source == Source(kind=SourceKind.PATH, value="films/a.mov")
    assert (request.priority, request.callback, request.client_data) == (Priority.NORMAL, None, None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"source": {}}, "source"),
        ({"source": {"url": "https://a.example/", "path": "a"}}, "source"),
        ({"source": {"url": ""}}, "source.url"),
        ({"source": {"path": "a", "host": "x"}}, "source.host"),
        ({"source": "films/a.mov"}, "source"),
        ({"presets": []}, "presets"),
        ({"presets": ["a"] * 2}, ""),
        ({"presets": [f"p{number}" for number in range(17)]}, "presets"),
        ({"presets": "hls-h264"}, "presets"),
        ({"presets": [""]}, "presets.0.<name>"),
        ({"priority": "urgent"}, "priority"),
        ({"priority": 10}, "priority"),
        ({"callback": "https://a.example"}, "callback"),
        ({"client_data": "x" * 2049}, "client_data"),
        ({"client_data": "\ud800"}, "client_data"),
        ({"state": "succeeded"}, "state"),
        ({"account_id": 1}, "account_id"),
    ],
)
def test_a_wrong_request_is_refused_with_its_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        JobCreate.model_validate(GOOD | change)

    assert [".".join(map(str, fault["loc"])) for fault in caught.value.errors()] == [field]


def test_requests_that_mean_the_same_have_the_same_fingerprint() -> None:
    spelled_out = GOOD | {"priority": "normal", "callback": None, "client_data": None}
    one = job_request(JobCreate.model_validate(GOOD), "k")
    same = job_request(JobCreate.model_validate(dict(reversed(spelled_out.items()))), "k")
    other = job_request(JobCreate.model_validate(GOOD | {"client_data": "x"}), "k")

    assert one.fingerprint == same.fingerprint
    assert one.fingerprint != other.fingerprint
