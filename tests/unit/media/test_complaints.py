import pytest

from omkt_pipeline.media.complaints import meaning_of, probe_meaning_of


@pytest.mark.parametrize(
    ("stderr", "code", "retryable"),
    [
        ("av_interleaved_write_frame(): No space left on device", "scratch_full", True),
        ("file:/x/original: Input/output error", "source_io", True),
        ("[mov @ 0x1] moov atom not found", "source_truncated", False),
        ("[hls @ 0x1] Format not on whitelist 'mov'\nfile:/x/original: Invalid argument", "source_not_media", False),
        ("[ffv1 @ 0x1] Codec (ffv1) not on whitelist 'h264'", "source_unsupported", False),
        ("Stream map '0:7' matches no streams.", "source_no_tracks", False),
        ("[mov @ 0x1] error reading header: Cannot allocate memory", "source_too_complex", False),
        ("[IMGUTILS @ 0x1] Picture size 65535x65535 is invalid", "source_too_large", False),
        ("hit EOF while reading sub-sample encryption info", "source_encrypted", False),
        ("Error while decoding stream #0:0: Invalid data found when processing input", "source_damaged", False),
    ],
)
def test_the_last_words_of_a_tool_become_a_code(stderr: str, code: str, retryable: bool) -> None:
    meaning = meaning_of(stderr)

    assert meaning is not None
    assert (meaning.code, meaning.retryable) == (code, retryable)


def test_words_that_explain_nothing_stay_unexplained() -> None:
    assert meaning_of("Conversion failed!") is None


def test_the_name_of_a_file_is_not_taken_for_a_complaint() -> None:
    meaning = meaning_of("file:/in/No space left on device.mp4: Invalid data found when processing input")

    assert meaning is not None
    assert meaning.code == "source_damaged"


def test_a_file_that_no_demuxer_knows_is_not_media() -> None:
    assert probe_meaning_of("file:/x/original: Invalid data found when processing input").code == "source_not_media"
