import pytest

from omkt_pipeline.domain.errors import VerifyError
from omkt_pipeline.media.cut import Cut, cut_of, joined_cuts

FIRST = Cut(
    scale=12800, number=0, begins_at=0, shown_at=1024, step=512, codec="avc1.64001f",
    bytes=(1000, 900), samples=(150, 150), lengths=(76800, 76800), key_frame_bytes=(300, 280),
)  # fmt: skip
SECOND = FIRST.model_copy(update={"number": 2, "begins_at": 153600, "shown_at": 154624})


def test_chunks_of_a_track_are_one_row_of_segments() -> None:
    whole = joined_cuts("720p", [FIRST, SECOND])

    assert whole.names == ("00000.m4s", "00001.m4s", "00002.m4s", "00003.m4s")
    assert whole.seconds == (6.0,) * 4
    assert [float(start) for start in whole.starts] == [0.0, 6.0, 12.0, 18.0]
    assert (sum(whole.samples), sum(whole.bytes), whole.shown_at) == (600, 3800, 1024)


@pytest.mark.parametrize(
    "fault",
    [
        {"begins_at": 153600 + 512},  # a frame is missing
        {"shown_at": 154624 + 512},  # pictures are shown later than those before
        {"step": 500},
        {"scale": 90000},
        {"codec": "avc1.640020"},
        {"number": 3},
        {"number": 1},
    ],
)
def test_chunks_that_do_not_follow_each_other_are_refused(fault: dict[str, object]) -> None:
    with pytest.raises(VerifyError) as caught:
        joined_cuts("720p", [FIRST, SECOND.model_copy(update=fault)])
    assert caught.value.code == "chunks_differ"


def test_an_uneven_clock_cannot_be_joined() -> None:
    uneven = [piece.model_copy(update={"step": None}) for piece in (FIRST, SECOND)]

    with pytest.raises(VerifyError):
        joined_cuts("720p", uneven)


def test_what_an_encode_says_of_a_cut_is_read_back() -> None:
    assert cut_of({"frames": 300, "cut": FIRST.model_dump(mode="json")}) == FIRST
    assert cut_of({"frames": 300}) is None
