import shlex
from pathlib import Path

from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.media import Colour, SourceFile
from omkt_pipeline.domain.recipe import EncodeAudio, EncodeStills, EncodeVideo, Input, Still, VideoRendition
from omkt_pipeline.media.encode_argv import video_argv, video_graph
from omkt_pipeline.media.sound_argv import audio_argv
from omkt_pipeline.media.source import guards
from omkt_pipeline.media.stills_argv import still_argv
from omkt_pipeline.media.tools import Tools

TOOLS = Tools(ffmpeg=Path("/bin/ffmpeg"), ffprobe=Path("/bin/ffprobe"), version="7.1")
INPUT = Input(source=SourceFile(path="x", bytes=1), demuxer="mov", index=0, duration=10.0)
R720 = VideoRendition(
    name="720p", width=1280, height=720, crf=22, max_kbps=3000, buffer_kbits=6000, speed="fast", profile="high", gop_frames=50
)  # fmt: skip
R240 = R720.model_copy(update={"name": "240p", "width": 426, "height": 240})
BT709 = Colour(range="tv", matrix="bt709")
GUARDS = shlex.join(guards(Limits()))
BEGIN = (
    "/bin/ffmpeg -hide_banner -nostdin -y -max_error_rate 0.5 -loglevel error -nostats -stats_period 0.5"
    " -progress pipe:1"
)


def test_one_command_makes_every_rendition() -> None:
    recipe = EncodeVideo(input=INPUT, rate="25/1", colour=BT709, renditions=(R720,))

    argv = video_argv(recipe, Path("/s/original"), Path("/t"), tools=TOOLS, limits=Limits(), threads=2)

    assert shlex.join(argv) == (
        f"{BEGIN} -threads 2 {GUARDS} -f mov -i file:/s/original -filter_complex_threads 2 -filter_complex"
        " '[0:0]fps=25/1,split=1[s0];[s0]scale=1280:720:flags=bicubic:in_color_matrix=bt709:in_range=tv"
        ":out_color_matrix=bt709:out_range=tv,format=yuv420p,setsar=1,setparams=range=tv:color_primaries=bt709"
        ":color_trc=bt709:colorspace=bt709[v0]'"
        " -map '[v0]' -map_metadata -1 -map_chapters -1 -dn -sn -c:v libx264 -preset fast -profile:v high -threads 3"
        " -crf 22 -maxrate 3000k -bufsize 6000k -g 50 -keyint_min 50 -sc_threshold 0 -flags +cgop -r 25/1"
        " -fps_mode cfr -t 43200 -fs 274877906944 -f mp4 file:/t/720p.mp4"
    )


def test_an_interlaced_source_is_deinterlaced_before_it_is_split() -> None:
    recipe = EncodeVideo(input=INPUT, rate="25/1", deinterlace=True, colour=BT709, renditions=(R720, R240))

    assert video_graph(recipe, TOOLS).startswith(
        "[0:0]bwdif=mode=send_frame:parity=auto:deint=interlaced,fps=25/1,split=2[s0][s1];"
    )


def test_hdr_is_tone_mapped_once_and_left_alone_by_a_build_that_cannot() -> None:
    recipe = EncodeVideo(input=INPUT, rate="25/1", tone_map="pq", colour=BT709, renditions=(R720, R240))
    poor = Tools(ffmpeg=TOOLS.ffmpeg, ffprobe=TOOLS.ffprobe, version="8.1", has_zscale=False)

    assert video_graph(recipe, TOOLS).count("hable") == 1
    assert "tonemap" not in video_graph(recipe, poor)


def test_sound_is_encoded_whole_and_starts_with_the_file() -> None:
    recipe = EncodeAudio(input=INPUT, name="audio", codec="aac", channels=2, sample_rate=48000, kbps=128)

    argv = audio_argv(recipe, Path("/s/a b"), Path("/t"), tools=TOOLS, limits=Limits())

    assert shlex.join(argv) == (
        f"{BEGIN} {GUARDS} -f mov -i 'file:/s/a b' -map 0:0"
        " -af aresample=48000:async=1:first_pts=0,aformat=channel_layouts=stereo -vn -map_metadata -1 -map_chapters -1"
        " -dn -sn -c:a aac -b:a 128k -movie_timescale 48000 -t 43200 -fs 274877906944 -f mp4 file:/t/audio.mp4"
    )


def test_a_still_is_found_by_seeking() -> None:
    still = Still(name="poster", at=6.0, width=640, height=360, quality=3, choose_from=25)
    recipe = EncodeStills(input=INPUT, colour=BT709, stills=(still,))

    argv = still_argv(recipe, still, Path("/s/original"), Path("/t"), tools=TOOLS, limits=Limits(), at=6.0)

    assert shlex.join(argv) == (
        f"{BEGIN} -threads 1 {GUARDS} -f mov -ss 6.000000 -i file:/s/original -map 0:0 -an -map_metadata -1"
        " -map_chapters -1 -dn -sn -vf thumbnail=n=25,scale=640:360:flags=bicubic:in_color_matrix=bt709:in_range=tv"
        ":out_color_matrix=bt709:out_range=pc,format=yuvj420p,setsar=1 -frames:v 1 -c:v mjpeg -threads 1 -q:v 3"
        " -f mjpeg file:/t/poster.jpg"
    )


def test_no_playlist_script_or_text_demuxer_is_ever_allowed() -> None:
    words = guards(Limits())
    allowed = set(words[words.index("-format_whitelist") + 1].split(","))

    assert not allowed & {"hls", "dash", "concat", "image2", "sdp", "rtsp", "lavfi", "ass", "srt", "tedcaptions"}
    assert words[words.index("-protocol_whitelist") + 1] == "file,pipe"
