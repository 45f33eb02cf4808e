"""Results over HTTP: what its row promises, in whole and in parts, by key and by link."""

import hashlib
import io
import socket
import zipfile

import pytest
from tests.integration.api.conftest import FILES, NAME, Farm
from tests.integration.api.test_jobs import refused

SEGMENT = "v/720-00001.m4s"
CONTENT = FILES[SEGMENT]
TAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'


@pytest.fixture
def link(farm: Farm, published: str) -> str:
    """The signed address of the output's folder."""
    with farm.client() as client:
        url: str = client.get(f"/v1/jobs/{published}").json()["outputs"][0]["files_url"]
    assert url.startswith(f"{farm.url}/v1/files/")
    return url


def test_an_output_lists_its_files_with_addresses_that_work(farm: Farm, published: str) -> None:
    with farm.client() as client, farm.stranger() as stranger:
        output = client.get(f"/v1/jobs/{published}/outputs/hls-h264").json()

        assert (output["kind"], output["entry"]) == ("hls", "master.m3u8")
        assert {one["path"] for one in output["files"]} == set(FILES)
        for one in output["files"]:
            response = stranger.get(one["url"])
            assert response.content == FILES[one["path"]]
            assert response.headers["etag"] == f'"{one["sha256"]}"'
        refused(client.get(f"/v1/jobs/{published}/outputs/none"), 404, "output_unknown")


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("master.m3u8", "application/vnd.apple.mpegurl"),
        (SEGMENT, "video/iso.segment"),
        ("empty.vtt", "text/vtt; charset=utf-8"),
    ],
)
def test_files_have_their_types_and_cannot_act_as_pages(farm: Farm, link: str, path: str, content_type: str) -> None:
    with farm.stranger() as client:
        response = client.get(link + path)

    assert response.content == FILES[path]
    assert response.headers["content-type"] == content_type
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-security-policy"].startswith("sandbox")
    assert response.headers["accept-ranges"] == "bytes"
    assert "immutable" in response.headers["cache-control"]


@pytest.mark.parametrize("by_key", [True, False])
def test_ranges_are_sent(farm: Farm, published: str, link: str, by_key: bool) -> None:
    url = f"/v1/jobs/{published}/outputs/hls-h264/files/{SEGMENT}" if by_key else link + SEGMENT
    with farm.client() if by_key else farm.stranger() as client:
        for wanted, start, stop in (
            ("0-9", 0, 10),
            ("-5", len(CONTENT) - 5, len(CONTENT)),
            ("1000000-", 1_000_000, len(CONTENT)),
        ):
            part = client.get(url, headers={"Range": f"bytes={wanted}"})
            assert (part.status_code, part.content) == (206, CONTENT[start:stop])
            assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(CONTENT)}"
            assert part.headers["etag"] == TAG
        beyond = client.get(url, headers={"Range": f"bytes={len(CONTENT)}-"})
        refused(beyond, 416, "range_unsatisfiable")
        assert beyond.headers["content-range"] == f"bytes */{len(CONTENT)}"
        whole = client.get(url, headers={"Range": "bytes=0-9", "If-Range": '"another"'})
        assert (whole.status_code, whole.content) == (200, CONTENT)
        several = client.get(url, headers={"Range": "bytes=0-1,5-6"})
        assert (several.status_code, several.content) == (200, CONTENT)


def test_what_the_client_has_is_not_sent_again(farm: Farm, link: str) -> None:
    with farm.stranger() as client:
        response = client.get(link + SEGMENT, headers={"If-None-Match": f'W/{TAG}, "x"'})

    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == TAG


def test_head_tells_the_size_and_sends_nothing(farm: Farm, link: str) -> None:
    with farm.stranger() as client:
        response = client.head(link + SEGMENT, headers={"Range": "bytes=0-9"})

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == str(len(CONTENT))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "v",
        "v/",
        "none.m4s",
        "../../../.omkt-share",
        "%2e%2e/%2e%2e/%2e%2e/.omkt-share",
        "..%2f..%2f..%2f.omkt-share",
        "v%2F..%2Fmaster.m3u8",
        "./master.m3u8",
        "master.m3u8%00",
        "%00",
        "/etc/passwd",
        "master.m3u8/",
        "MASTER.M3U8",
        "%ff%fe",
    ],
)
def test_only_names_that_a_row_promises_exist(farm: Farm, published: str, link: str, path: str) -> None:
    """Sent as they are, past a client that would tidy them up."""
    host, port = farm.url.removeprefix("http://").split(":")
    for target in (link.removeprefix(farm.url) + path, f"/v1/jobs/{published}/outputs/hls-h264/files/{path}"):
        with socket.create_connection((host, int(port))) as connection:
            head = f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {farm.key}\r\nConnection: close\r\n\r\n"
            connection.sendall(head.encode())
            with connection.makefile("rb") as answer:
                assert answer.readline().startswith(b"HTTP/1.1 404 "), target


def test_an_encoded_slash_is_a_slash(farm: Farm, link: str) -> None:
    with farm.stranger() as client:
        assert client.get(link + "v%2F720.m3u8").content == FILES["v/720.m3u8"]


def test_a_link_opens_one_output_and_no_other(farm: Farm, link: str) -> None:
    token = link.rstrip("/").rpartition("/")[2]
    with farm.stranger() as client:
        refused(client.get(f"/v1/files/{token.swapcase()}/master.m3u8"), 404, "link_invalid")
        refused(client.get("/v1/files/x/master.m3u8"), 404, "link_invalid")
        refused(client.get(f"/play/{token[:-2]}"), 404, "link_invalid")
        refused(client.get(link + "none.m4s"), 404, "file_unknown")


def test_a_file_that_is_not_as_published_is_not_sent(farm: Farm) -> None:
    with farm.client() as client:
        key = farm.publish(files=FILES)
        folder = next((farm.share.root / f"results/{key}/hls-h264").iterdir())
        url = f"/v1/jobs/{key}/outputs/hls-h264/files/"
        (folder / SEGMENT).write_bytes(CONTENT[:-1])
        (folder / "v/720.m3u8").unlink()
        (folder / "master.m3u8").unlink()
        (folder / "master.m3u8").symlink_to(folder / SEGMENT)

        for path in (SEGMENT, "v/720.m3u8", "master.m3u8"):
            body = refused(client.get(url + path), 503, "file_damaged")
            assert str(farm.share.root) not in body["detail"]


def test_the_player_shows_the_name_of_the_media_as_text(farm: Farm, published: str) -> None:
    with farm.client() as client, farm.stranger() as stranger:
        play_url = client.get(f"/v1/jobs/{published}").json()["outputs"][0]["play_url"]
        page = stranger.get(play_url)

        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#x27;film&#x27;.mov" in page.text
        assert NAME not in page.text
        policy = page.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "default-src 'none'" in policy
        assert "<style" not in page.text
        assert " onload=" not in page.text
        source = page.text.partition('data-source="')[2].partition('"')[0]
        assert stranger.get(f"{farm.url}/play/{source}").content == FILES["master.m3u8"]
        for name in ("hls.min.js", "play.js", "play.css", "hls.js.LICENSE"):
            assert stranger.get(f"/static/{name}").status_code == 200


@pytest.mark.parametrize(
    ("kind", "entry", "plays"), [("file", "a.mp4", True), ("file", "a.m4a", True), ("images", "1.jpg", False)]
)
def test_what_can_be_played_has_a_player(farm: Farm, kind: str, entry: str, plays: bool) -> None:
    with farm.client() as client:
        key = farm.publish(kind=kind, entry=entry, files={entry: b"content"})
        output = client.get(f"/v1/jobs/{key}").json()["outputs"][0]
        assert (output["play_url"] is not None) == plays
        page = client.get(output["files_url"].replace("/v1/files/", "/play/").rstrip("/"))
        if plays:
            assert entry in page.text
        else:
            refused(page, 404, "output_not_playable")


def test_all_files_come_as_one_zip_whose_length_is_known(farm: Farm, published: str) -> None:
    with farm.client() as client, farm.stranger() as stranger:
        keyed = client.get(f"/v1/jobs/{published}/outputs/hls-h264/zip")
        linked = stranger.get(client.get(f"/v1/jobs/{published}/outputs/hls-h264").json()["zip_url"])

    assert int(keyed.headers["content-length"]) == len(keyed.content)
    assert keyed.headers["content-type"] == "application/zip"
    for answer in (keyed, linked):
        with zipfile.ZipFile(io.BytesIO(answer.content)) as found:
            assert {name: found.read(name) for name in found.namelist()} == FILES
            assert found.testzip() is None


def test_a_zip_of_nothing_is_not_there(farm: Farm, published: str) -> None:
    with farm.client() as client, farm.stranger() as stranger:
        refused(client.get(f"/v1/jobs/{published}/outputs/none/zip"), 404, "output_unknown")
        refused(stranger.get("/v1/zips/abc"), 404, "link_invalid")
