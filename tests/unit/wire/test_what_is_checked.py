"""What the acceptance client demands of the transcoder: the specification's own example is enough, anything less is not."""

import io
import json
import zipfile
from typing import Any

import httpx
import pytest
from tests.wire import life
from tests.wire.driver import code

METADATA: dict[str, Any] = {
    "mime": "video/mp4",
    "file_size": 4711,
    "box": "mov",
    "time-estimate": "00:00:02.00",
    "bitrate": "820",
    "frames": "50",
    "time": 2.0,
    "type": "video",
    "tracks": [
        {"type": "video", "codec": "h264", "pixelfmt": "yuv420p", "width": "320", "height": "180", "fps": "25"},
        {"type": "audio", "codec": "aac", "samplerate": "44100", "channels": "mono"},
    ],
}


def test_the_specifications_metadata_are_enough() -> None:
    life.check_metadata(METADATA, size=4711)


@pytest.mark.parametrize(
    "wrong",
    [
        {"file_size": "4711"},
        {"time": "2.0"},
        {"frames": 50},
        {"time-estimate": "2 s"},
        {"tracks": METADATA["tracks"][:1]},
        {"tracks": [METADATA["tracks"][0] | {"width": 320}, METADATA["tracks"][1]]},
        {"mime": "application/octet-stream"},
    ],
)
def test_other_metadata_are_not(wrong: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        life.check_metadata(METADATA | wrong, size=4711)


@pytest.mark.parametrize("missing", METADATA)
def test_a_key_that_is_missing_is_missed(missing: str) -> None:
    with pytest.raises(AssertionError):
        life.check_metadata({key: value for key, value in METADATA.items() if key != missing}, size=4711)


def jpeg(width: int, height: int) -> bytes:
    """The beginning of a picture, as far as its size."""
    frame = b"\xff\xc0\x00\x11\x08" + height.to_bytes(2) + width.to_bytes(2) + bytes(10)
    return b"\xff\xd8\xff\xe0\x00\x10" + bytes(14) + frame


def thumbnails(*names: str, cardinality: int | None = None, small: int = 100) -> life.Result:
    told = io.BytesIO()
    with zipfile.ZipFile(told, "w") as archive:
        for name in names:
            archive.writestr(name, jpeg(320, 180) if name.startswith("h") else jpeg(small, small // 2))
    return life.Result(told={"cardinality": str(cardinality or len(names))}, body=told.getvalue())


def test_as_many_small_pictures_as_large_ones_are_thumbnails() -> None:
    life.check_thumbnails(thumbnails("h00.jpg", "h01.jpg", "l00.jpg", "l01.jpg"))


@pytest.mark.parametrize(
    "wrong",
    [
        thumbnails("h00.jpg", "h01.jpg", "l00.jpg"),
        thumbnails("h1.jpg", "l1.jpg"),
        thumbnails("a/h00.jpg", "a/l00.jpg"),
        thumbnails("h00.jpg", "l00.jpg", cardinality=40),
        thumbnails("h00.jpg", "l00.jpg", small=400),
        thumbnails(*(f"{size}{place:02}.jpg" for size in "hl" for place in range(21))),
    ],
)
def test_other_zips_are_not(wrong: life.Result) -> None:
    with pytest.raises(AssertionError):
        life.check_thumbnails(wrong)


def test_a_code_comes_wrapped_with_its_message_and_nothing_else() -> None:
    assert code(httpx.Response(404, text=json.dumps({"result": {"code": 404, "message": "not found"}}))) == 404
    for wrong in ({"code": 404}, {"result": {"code": 404}}, {"result": {"code": 1, "message": ""}, "more": 1}):
        with pytest.raises(AssertionError):
            code(httpx.Response(404, text=json.dumps(wrong)))
