"""The stages of a client's life, each with what the specification promises of it; the same against every kind of farm."""

import io
import json
import re
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omkt_pipeline.media.tools import find_tools
from tests.wire import wording
from tests.wire.driver import Client, code

THUMBNAILS = 101
#: One deliverable of each kind: video, sound, thumbnails.
FORMATS = (11, 71, THUMBNAILS)
LARGE_SIDE, SMALL_SIDE = 1920, 166


@dataclass(frozen=True)
class Result:
    """A result as its callback described it, and as it was pulled."""

    told: dict[str, Any]
    body: bytes


def hand_over(client: Client, media: int, film: str) -> dict[str, Any]:
    """Submit a film and wait for its metadata."""
    answer = client.new_media(media, film)
    assert (answer.status_code, code(answer)) == (200, wording.OK), answer.text
    told = client.told("transcoder_send_metadata", media)
    assert set(told) == {"app_key", "action", "id", "metadata"}, told
    found: dict[str, Any] = json.loads(told["metadata"])
    return found


def check_metadata(metadata: dict[str, Any], *, size: int) -> None:
    """A film with one picture and one sound track: the keys, and which of their values are numbers."""
    assert set(metadata) >= wording.METADATA_KEYS, wording.METADATA_KEYS - set(metadata)
    assert metadata["mime"] == "video/mp4"
    assert (metadata["type"], metadata["box"], metadata["file_size"]) == ("video", "mov", size)
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d\d", metadata["time-estimate"])
    tracks = {track["type"]: track for track in metadata["tracks"]}
    assert set(tracks) == {"video", "audio"}
    assert set(tracks["video"]) >= wording.VIDEO_TRACK_KEYS
    assert set(tracks["audio"]) >= wording.AUDIO_TRACK_KEYS
    for one in (metadata, *tracks.values()):
        for key, value in one.items():
            if key != "tracks":
                expected = (int, float) if key in wording.METADATA_NUMBERS else str
                assert isinstance(value, expected), f"{key} is {value!r}"


def order(client: Client, media: int, settings: list[int], spelling: str) -> None:
    """Ask for formats; every one of them is taken."""
    answer = client.request_formats(media, settings, spelling)
    assert answer.status_code == 200, answer.text
    entries = answer.json()
    assert set(entries) == {str(one) for one in settings}, entries
    assert all(set(one) == {"code", "message"} for one in entries.values()), entries
    assert {key: one["code"] for key, one in entries.items()} == dict.fromkeys(entries, wording.OK), entries


def receive(client: Client, media: int, setting: int) -> Result:
    """Wait to be told of a result, and pull it by pieces."""
    told = client.told("transcoder_send_format", media, settings_id=setting)
    assert set(told) == {"app_key", "action", "id", "settings_id", "cardinality", "adapter", "metadata"}, told
    assert told["adapter"] == "http"
    metadata = json.loads(told["metadata"])
    body = client.pull(media, setting, metadata["file_size"], piece_bytes=max(metadata["file_size"] // 3, 1000))
    return Result(told=told | {"metadata": metadata}, body=body)


def check_result(result: Result, setting: int, folder: Path) -> None:
    """A single file is what its metadata says."""
    promised = wording.SETTINGS[setting]
    metadata = result.told["metadata"]
    assert result.told["cardinality"] == "1"
    assert len(result.body) == metadata["file_size"]
    path = folder / f"result.{promised.extension}"
    path.write_bytes(result.body)
    streams = probe(path)
    kinds = [stream["codec_type"] for stream in streams]
    assert kinds == (["audio"] if promised.size_169 == "na" else ["video", "audio"])
    assert [track["type"] for track in metadata["tracks"]] == kinds
    if kinds[0] == "video":
        width, height = (int(side) for side in promised.size_169.split("x"))
        assert (streams[0]["width"], streams[0]["height"]) <= (width, height)


def check_thumbnails(result: Result) -> None:
    """As many small pictures as large ones, flat in one zip, under the original's names."""
    with zipfile.ZipFile(io.BytesIO(result.body)) as archive:
        names = archive.namelist()
        pictures = {name: archive.read(name) for name in names}
    count = len(names) // 2
    assert 1 <= count <= 20
    assert sorted(names) == [f"{size}{place:02}.jpg" for size in "hl" for place in range(count)]
    assert result.told["cardinality"] == str(len(names))
    assert all(picture.startswith(b"\xff\xd8") for picture in pictures.values())
    for name, picture in pictures.items():
        assert max(jpeg_size(picture)) <= (SMALL_SIDE if name.startswith("l") else LARGE_SIDE)


def probe(path: Path) -> list[dict[str, Any]]:
    asked = ("-v", "error", "-show_streams", "-of", "json", str(path))
    done = subprocess.run([str(find_tools().ffprobe), *asked], capture_output=True, text=True, check=True)
    streams: list[dict[str, Any]] = json.loads(done.stdout)["streams"]
    return streams


def jpeg_size(picture: bytes) -> tuple[int, int]:
    """Width and height, from the frame header of a JPEG."""
    at = 2
    while picture[at] == 0xFF:
        marker, length = picture[at + 1], int.from_bytes(picture[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xC2:
            return int.from_bytes(picture[at + 7 : at + 9]), int.from_bytes(picture[at + 5 : at + 7])
        at += 2 + length
    raise AssertionError("no JPEG")
