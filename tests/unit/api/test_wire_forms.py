"""The original's wire, where it needs no farm: parameters as PHP reads them, metadata, pieces, answers."""

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire import lists, wording

from omkt_api.ranges import Slice
from omkt_api.wire import metadata
from omkt_api.wire.callbacks import joined, judge
from omkt_api.wire.catalogue import by_number, catalogue
from omkt_api.wire.codes import Code, WireError
from omkt_api.wire.limits import CallLimit
from omkt_api.wire.php import list_of, number_of, pairs_of, parameters, text_of, truth_of
from omkt_api.wire.pulling import exclusive
from omkt_pipeline.domain.media import AudioTrack, MediaFacts, VideoTrack
from omkt_pipeline.presets import shipped
from omkt_pipeline.queue.wire.telling import Made

FILM = MediaFacts(
    container="mov,mp4,m4a,3gp,3g2,mj2",
    duration=3723.456,
    bytes=1_000_000,
    video=(
        VideoTrack(
            index=0, codec="h264", width=720, height=576, sample_aspect="16/15", average_rate="30000/1001",
            pixel_format="yuv420p", counted_frames=111592,
        ),
    ),
    audio=(AudioTrack(index=1, codec="aac", channels=6, layout="5.1", sample_rate=48000, language="fra"),),
    subtitles=1,
)  # fmt: skip


@pytest.mark.parametrize(("query", "values"), lists.TABLE.items())
def test_lists_are_read_as_php_reads_them(query: str, values: list[str]) -> None:
    assert list_of(parameters(pairs_of(query)), "list") == values


@given(
    st.lists(
        st.tuples(st.sampled_from(["list", "list[]", "list[0]", "list[7]", "list[x]", "other[]"]), st.text(max_size=3))
    )
)
def test_any_mixture_of_items_is_read_as_php_reads_it(pairs: list[tuple[str, str]]) -> None:
    items = [pair for pair in pairs if pair[0] != "list"]
    query = lists.urlencode(items)

    assert (list_of(parameters(pairs_of(query)), "list") or []) == lists.read(query, "list")


@pytest.mark.parametrize(
    ("written", "read"),
    [("[11,12]", ["11", "12"]), ('["11"]', ["11"]), ('{"0":11}', ["11"]), ("11", None), ("[[1]]", None), ("[", None)],
)
def test_a_list_may_be_json_in_one_string(written: str, read: list[str] | None) -> None:
    assert list_of({"list": written}, "list") == read


def test_a_form_counts_more_than_the_query() -> None:
    found = parameters(pairs_of("id=1&url=a"), pairs_of("id=2"))

    assert (number_of(found, "id"), text_of(found, "url"), text_of(found, "none")) == (2, "a", None)


@pytest.mark.parametrize("written", ["-1", "1.5", "0x10", " ", "\u0661", "9" * 19, "1e3"])
def test_what_is_no_number_is_none(written: str) -> None:
    assert number_of({"id": written}, "id") is None


@pytest.mark.parametrize(("written", "true"), [("0", False), ("", False), ("1", True), ("false", True)])
def test_truth_is_phps(written: str, true: bool) -> None:
    assert truth_of({"dometadata": written}, "dometadata", default=True) is true


def test_more_parameters_than_php_reads_are_refused() -> None:
    with pytest.raises(ValueError, match="fields"):
        pairs_of("&".join(f"a{n}=1" for n in range(1001)))


def test_the_catalogue_has_the_originals_numbers_names_and_sizes() -> None:
    settings = catalogue(by_number(shipped().values()))

    assert set(settings) == {str(number) for number in wording.SETTINGS}
    for number, promised in wording.SETTINGS.items():
        told = settings[str(number)]
        assert set(told) == wording.SETTING_KEYS
        assert (told["slug"], told["extension"], told["cardinality"]) == (
            promised.slug,
            promised.extension,
            promised.cardinality,
        )
        assert (told["size_43"], told["size_169"]) == (promised.size_43, promised.size_169)
        assert (told["recommend"] == 1) is promised.recommend
        assert told["technical"]


def test_a_films_metadata_is_the_originals() -> None:
    told = metadata.of_source(FILM)

    assert told["mime"] == "video/mp4"
    assert (told["time-estimate"], told["time"], told["frames"]) == ("01:02:03.46", 3723.456, "111592")
    picture, sound, subtitle = told["tracks"]
    assert (picture["DAR1"], picture["DAR2"], picture["PAR1"], picture["PAR2"]) == ("4", "3", "16", "15")
    assert picture["fps"] == "29.97"
    assert (sound["channels"], sound["lang"], sound["samplerate"]) == ("5.1", "fra", "48000")
    assert subtitle == {"type": "subtitle"}


def picture(codec: str) -> tuple[VideoTrack, ...]:
    return (VideoTrack(index=0, codec=codec, width=2, height=2),)


def sound(codec: str) -> tuple[AudioTrack, ...]:
    return (AudioTrack(index=0, codec=codec, channels=2),)


@pytest.mark.parametrize(
    ("facts", "mime", "kind"),
    [
        (MediaFacts(container="matroska,webm", duration=1, video=picture("vp9")), "video/webm", "video"),
        (MediaFacts(container="matroska,webm", duration=1, video=picture("h264")), "video/x-matroska", "video"),
        (MediaFacts(container="mp3", duration=1, audio=sound("mp3"), attached_pictures=1), "audio/mpeg", "audio"),
        (MediaFacts(container="mov,mp4,m4a", duration=1, audio=sound("aac")), "audio/mp4", "audio"),
        (MediaFacts(container="nut", duration=None), "application/x-nut", "other"),
    ],
)
def test_a_cover_makes_no_video_and_the_type_is_the_tracks(facts: MediaFacts, mime: str, kind: str) -> None:
    told = metadata.of_source(facts)

    assert (told["mime"], told["type"]) == (mime, kind)


def test_metadata_fit_into_a_url_however_many_tracks_there_are() -> None:
    many = FILM.model_copy(update={"audio": FILM.audio * 500})

    text = metadata.compact(metadata.of_source(many))

    assert len(text) <= metadata.MAX_BYTES
    assert json.loads(text)["tracks"][0]["type"] == "video"


def test_a_zip_says_how_many_files_it_holds() -> None:
    made = Made(entry="x.zip", bytes=9, kind="thumbnails", contents={"images": [{}, {}, {}, {}]})

    told = metadata.of_result(made)

    assert (told["mime"], told["cardinality"], told["file_size"], told["tracks"]) == ("application/zip", 4, 9, [])


def test_a_results_rate_is_its_frames_by_its_time() -> None:
    picture = {
        "codec": "h264",
        "width": 426,
        "height": 240,
        "frames": 240,
        "duration": float(Fraction(1001, 100)),
        "bitrate": 5e5,
    }
    made = Made(
        entry="video.mp4", bytes=9, kind="film", contents={"duration": 10.01, "renditions": [picture], "audio": []}
    )

    (track,) = metadata.of_result(made)["tracks"]

    assert (track["fps"], track["bitrate"], track["width"]) == ("23.98", "500", "426")


def test_a_piece_ends_before_its_end() -> None:
    assert exclusive("0-10", size=20) == Slice(status=200, start=0, stop=10)
    assert exclusive("10-", size=20) == Slice(status=200, start=10, stop=20)


@pytest.mark.parametrize("asked", ["10-5", "5-5", "x-y", "5", "-", "0-21", "20-", "-5", "0-10,12-13", ""])
def test_a_piece_that_is_not_there_is_216(asked: str) -> None:
    with pytest.raises(WireError) as refused:
        exclusive(asked, size=20)
    assert refused.value.code == Code.BAD_RANGE


@pytest.mark.parametrize(
    ("status", "body", "ok"),
    [
        (200, b'{"result":{"code":0}}', True),
        (200, b'{"result":{"code":"200","message":"x"}}', True),
        (200, b'{"result":{"code":300}}', False),
        (200, b'{"result":[]}', False),
        (200, b"[]", False),
        (200, b"", False),
        (500, b'{"result":{"code":0}}', False),
    ],
)
def test_only_200_with_a_code_that_says_yes_is_a_yes(status: int, body: bytes, ok: bool) -> None:
    result = judge(status, body, is_alert=False)

    assert (result.ok, result.gone) == (ok, False)


def test_a_client_that_knows_no_alerts_is_left_in_peace() -> None:
    body = b'{"result":{"code":226}}'

    assert judge(200, body, is_alert=True).gone
    assert not judge(200, body, is_alert=False).gone


def test_parameters_go_behind_those_that_are_there() -> None:
    assert joined("http://a/b", {"k": "ü&"}) == "http://a/b?k=%C3%BC%26"
    assert joined("http://a/b?x=1#f", {"k": "v"}) == "http://a/b?x=1&k=v#f"


def test_calls_are_counted_in_a_rolling_minute() -> None:
    clock = iter([0.0, 1.0, 2.0, 59.0, 60.5, 60.6])
    limit = CallLimit(2, 60.0, clock=lambda: next(clock))

    assert [limit.take("ann") for _ in range(4)] == [True, True, False, False]
    assert limit.take("ann")
    assert not limit.take("ann")
