"""Kinds of files that cameras, editors, broadcasters and archives make: each comes out, with every frame and sample."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.looking import heard, streams
from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]
_BOTH = "-f lavfi -i testsrc2=d=2:r=25:s=320x180 -f lavfi -i sine=d=2:r=48000"
_STEREO = "-f lavfi -i testsrc2=d=2:r=25:s=320x180 -f lavfi -i sine=d=2:r=48000 -ac 2"
#: File name, and the words that make it.
FILMS = {
    "latm.ts": f"{_BOTH} -c:v libx264 -c:a aac -mpegts_flags latm",
    "s302m.ts": f"{_STEREO} -c:v mpeg2video -c:a s302m -strict -2",
    "ffv1.mkv": f"{_BOTH} -c:v ffv1 -c:a flac",
    "v210.mov": f"{_BOTH} -c:v v210 -pix_fmt yuv422p10le -c:a pcm_s24le",
    "cfhd.mov": f"{_BOTH} -c:v cfhd -pix_fmt yuv422p10le -c:a pcm_s16be",
    "jpeg2000.mxf": f"{_BOTH} -c:v jpeg2000 -pix_fmt yuv422p -c:a pcm_s16le",
    "prores.mov": f"{_BOTH} -c:v prores_ks -pix_fmt yuva444p10le -c:a pcm_s16le",
    "dnxhr.mxf": f"{_BOTH} -c:v dnxhd -profile:v dnxhr_sq -pix_fmt yuv422p -c:a pcm_s16le",
    "magicyuv.avi": f"{_BOTH} -c:v magicyuv -c:a pcm_s16le",
    "zmbv.avi": f"{_BOTH} -c:v zmbv -c:a pcm_mulaw -ar 8000",
    "png.mov": f"{_BOTH} -c:v png -c:a aac",
    "wmv2.wmv": f"{_BOTH} -c:v wmv2 -c:a wmav2",
    "real.rm": f"{_BOTH} -c:v rv10 -s 352x288 -c:a ac3",
    "all.nut": f"{_BOTH} -c:v libx264 -c:a pcm_s16le",
    "blu.m2ts": f"{_BOTH} -c:v libx264 -c:a ac3 -mpegts_m2ts_mode 1",
    "twelve-bits.mkv": f"{_BOTH} -c:v libx265 -x265-params log-level=error -pix_fmt yuv444p12le -c:a flac",
    "gray.mkv": f"{_BOTH} -c:v libx264 -pix_fmt gray -c:a flac",
    "rgb.mkv": f"{_BOTH} -c:v libx264rgb -c:a flac",
    "recorded.wtv": f"{_BOTH} -c:v mpeg2video -c:a mp2",
    "alpha.webm": f"{_BOTH} -c:v libvpx-vp9 -deadline realtime -pix_fmt yuva420p -c:a libopus",
}
#: Pictures without a container. Most say nothing of their rate; ffmpeg takes 25 then.
BARE = {
    "bare.h264": "-c:v libx264 -bf 3",
    "bare.hevc": "-c:v libx265 -x265-params log-level=error",
    "bare.m4v": "-c:v mpeg4 -f m4v",
    "bare.m2v": "-c:v mpeg2video -bf 2",
    "bare.obu": "-c:v libsvtav1 -preset 12",
    "bare.y4m": "",
}
SOUNDS = {
    "s.w64": "", "s.au": "", "s.ac3": "", "s.eac3": "", "s.tta": "", "s.wv": "", "s.caf": "", "s.aiff": "",
    "s.loas": "-c:a aac -f latm", "s.spx": "-c:a libspeex -ar 16000", "g722.mkv": "-c:a g722 -ar 16000",
    "s.dts": "-c:a dca -strict -2", "s.thd": "-c:a truehd -strict -2",
}  # fmt: skip


@pytest.mark.parametrize("name", FILMS)
def test_a_film_of_any_kind_comes_out(pipeline: Pipeline, clip: Clip, name: str) -> None:
    delivered = pipeline.run(clip(name, FILMS[name]), ["mp4-480p"])
    picture, sound = streams(delivered.entries["mp4-480p"], pipeline.tools)

    # A clock that begins with the sound's priming, or has thousandths only, shows one frame twice.
    assert int(picture["nb_frames"]) in (50, 51)
    assert (picture["codec_name"], sound["codec_name"]) == ("h264", "aac")
    assert float(sound["duration"]) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("name", BARE)
def test_a_bare_stream_comes_out_with_every_picture(tmp_path: Path, each_build: Tools, clip: Clip, name: str) -> None:
    source = clip(name, f"-f lavfi -i testsrc2=d=2:r=25:s=320x180 -pix_fmt yuv420p {BARE[name]}")

    delivered = Pipeline(tmp_path, each_build).run(source, ["mp4-480p", "hls-h264"])

    (picture,) = streams(delivered.entries["mp4-480p"], each_build)
    # Pictures of MPEG-2 have times of decoding, of which the first lies one picture before what is shown.
    assert int(picture["nb_frames"]) in (50, 51 if name == "bare.m2v" else 50)
    assert float(picture["duration"]) == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("name", SOUNDS)
def test_a_sound_of_any_kind_comes_out(pipeline: Pipeline, clip: Clip, name: str) -> None:
    delivered = pipeline.run(clip(name, f"-f lavfi -i sine=d=2:r=48000 {SOUNDS[name]}"), ["audio-aac"])

    assert float(streams(delivered.entries["audio-aac"], pipeline.tools)[0]["duration"]) == pytest.approx(2.0, abs=0.1)


def decoded_samples(path: Path, tools: Tools) -> int:
    return len(heard(path, tools, "-ac", "1"))


@pytest.mark.parametrize(("rate", "samples"), [(48000, 96256), (48000, 96256 + 32), (44100, 96256 + 1)])
def test_every_sample_of_a_sound_is_there_and_none_more(
    tmp_path: Path, each_build: Tools, newest: Tools, clip: Clip, samples: int, rate: int
) -> None:
    source = clip(f"{samples}-{rate}.wav", f"-f lavfi -i sine=r={rate} -af atrim=end_sample={samples}")
    delivered = Pipeline(tmp_path, each_build).run(source, ["audio-aac", "hls-h264"])

    assert decoded_samples(delivered.entries["audio-aac"], newest) == samples
    # Segments of HLS have no place for where the last packet ends.
    assert 0 <= decoded_samples(delivered.entries["hls-h264"], newest) - samples < 1024


def test_mono_tracks_are_the_channels_of_one_sound(tmp_path: Path, each_build: Tools, clip: Clip) -> None:
    tones = "-f lavfi -i sine=f=400:d=2:r=48000 -f lavfi -i sine=f=3000:d=1.5:r=48000"
    two = clip(
        "two.mov", f"-f lavfi -i testsrc2=d=2:r=25:s=320x180 {tones} -map 0 -map 1 -map 2 -c:v libx264 -c:a pcm_s16le"
    )
    delivered = Pipeline(tmp_path, each_build).run(two, ["mp4-480p"])
    sound = streams(delivered.entries["mp4-480p"], each_build)[1]

    assert "mono_tracks_joined" in delivered.codes
    assert (sound["channels"], float(sound["duration"])) == (2, pytest.approx(2.0, abs=0.05))
    assert [round(rate, -2) for rate in tones_of(delivered.entries["mp4-480p"], each_build)] == [400, 3000]


def test_eight_mono_tracks_begin_with_a_surround_sound(pipeline: Pipeline, clip: Clip) -> None:
    tones = "-f lavfi -i sine=f=400:d=2:r=48000 -f lavfi -i sine=f=3000:d=2:r=48000 -f lavfi -i anullsrc=r=48000:cl=mono:d=2"
    eight = clip(
        "eight.mp4",
        f"-f lavfi -i testsrc2=d=2:r=25:s=320x180 {tones} -map 0 -map 1 -map 2 -map 3 -map 3 -map 3 -map 3 -map 1 -map 2"
        " -c:v libx264 -c:a aac",
    )
    delivered = pipeline.run(eight, ["mp4-480p", "archive"])

    assert streams(delivered.entries["archive"], pipeline.tools)[1]["channels"] == 6
    assert [round(rate, -2) for rate in tones_of(delivered.entries["mp4-480p"], pipeline.tools)] == [400, 3000]
    assert {"mono_tracks_joined", "mixed_down"} <= delivered.codes


@pytest.mark.parametrize("layout", ["quad(side)", "4.0", "5.0(side)", "2.1", "6.0", "7.0", "7.1(wide)"])
def test_every_layout_fits_every_encoder(tmp_path: Path, each_build: Tools, clip: Clip, layout: str) -> None:
    odd = clip("odd.flac", f"-f lavfi -i anullsrc=cl={layout}:r=48000:d=1 -c:a pcm_s16le -f wav")
    delivered = Pipeline(tmp_path, each_build).run(odd, ["archive"])

    assert streams(delivered.entries["archive"], each_build)[0]["channels"] == delivered.facts.audio[0].channels


def test_of_many_channels_without_a_place_the_first_are_taken(tmp_path: Path, each_build: Tools, clip: Clip) -> None:
    tones = "|".join(f"0.3*sin({hertz}*2*PI*t)" for hertz in (400, 3000, *[1000] * 10))
    twelve = clip("twelve.mov", f"-f lavfi -i aevalsrc={tones}:s=48000:d=2 -c:a pcm_s16le")
    delivered = Pipeline(tmp_path, each_build).run(twelve, ["archive", "audio-aac"])

    assert streams(delivered.entries["archive"], each_build)[0]["channels"] == 8
    assert [round(rate, -2) for rate in tones_of(delivered.entries["audio-aac"], each_build)] == [400, 3000]
    assert "channels_unplaced" in delivered.codes


def tones_of(path: Path, tools: Tools) -> list[float]:
    """Hertz of the left and the right channel in the first second, by counting how often each crosses zero."""
    made = heard(path, tools, "-t", "1", "-ar", "48000")
    found = []
    for channel in (made[0::2], made[1::2]):
        signs = [sample > 0 for sample in channel if abs(sample) > 50]
        found.append(sum(one != other for one, other in itertools.pairwise(signs)) / 2)
    return found
