"""The sentences of a plan: what was decided, and why. Codes are stable, sentences may change."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from omkt_pipeline.domain.media import MediaFacts, VideoTrack
from omkt_pipeline.domain.plan import Decision
from omkt_pipeline.domain.preset import Preset, Rung
from omkt_pipeline.planning.parts import Range
from omkt_pipeline.planning.picture import Fitted, scale_into

_STEREO = 2
#: Codecs whose encoders write captions in all versions of ffmpeg that we take.
_CARRY_CAPTIONS = frozenset({"h264", "mpeg2video"})
#: The profile of Dolby Vision whose pictures are in colours of their own.
_WITHOUT_BASE = 5


def no_video(output: str) -> Decision:
    """Sound alone is delivered."""
    return Decision(code="audio_only", message="The source has no moving picture: sound alone.", output=output)


def no_audio(output: str) -> Decision:
    """A silent film."""
    return Decision(code="no_sound", message="The source has no sound; none is added.", output=output)


def about_picture(track: VideoTrack) -> Iterator[Decision]:
    """What is done to every picture before it is scaled."""
    if track.rotation:
        yield Decision(
            code="rotated", message=f"The picture is turned by {track.rotation} degrees, as the source asks."
        )
    if Fraction(track.sample_aspect) != 1:
        yield Decision(
            code="square_pixels",
            message=f"Pixels of {track.sample_aspect.replace('/', ':')} become square: "
            f"{track.display_size[0]}x{track.display_size[1]}.",
        )
    if track.interlaced:
        yield Decision(code="deinterlaced", message="The source is interlaced; fields are joined into full frames.")


def about_colour(track: VideoTrack, *, kept: bool, output: str) -> Iterator[Decision]:
    """What becomes of HDR."""
    if track.dolby_vision == _WITHOUT_BASE:
        yield Decision(
            code="dolby_vision_unconverted",
            message="The source is Dolby Vision of profile 5, whose colours only its own players know: they come out wrong.",
            warning=True,
        )
    if track.colour.hdr and kept:
        message = f"The source is HDR ({track.colour.hdr.upper()}), and stays so, with ten bits."
        yield Decision(code="hdr_kept", message=message, output=output)
    elif track.colour.hdr:
        message = f"The source is HDR ({track.colour.hdr.upper()}); the output is SDR BT.709."
        yield Decision(code="tone_mapped", message=message, output=output)


def about_captions(track: VideoTrack, codec: str, output: str) -> Iterator[Decision]:
    """What becomes of closed captions, which lie inside the pictures."""
    if track.closed_captions and codec in _CARRY_CAPTIONS:
        yield Decision(code="captions_kept", message="Closed captions go with the pictures.", output=output)
    elif track.closed_captions:
        message = f"Closed captions lie inside the pictures, and are lost in {codec}; in H.264 they are kept."
        yield Decision(code="captions_dropped", message=message, output=output, warning=True)


def trimmed(part: Range, output: str) -> Decision:
    """Only a part of the source is made."""
    end = "its end" if part.end is None else f"{part.end:.3f} s"
    message = f"Only a part of the source is made, from {part.begin:.3f} s to {end}, exact to the frame."
    return Decision(code="trimmed", message=message, output=output)


def loudness(target: float, output: str) -> Decision:
    """The sound is made as loud as others of its kind."""
    return Decision(
        code="loudness_normalised",
        message=f"The sound is measured and brought to {target:g} LUFS (EBU R 128).",
        output=output,
    )


def unmet(preset: Preset, facts: MediaFacts, picture: VideoTrack | None) -> str | None:
    """Why a preset's condition is not met by this source, or None when it is."""
    when, length = preset.when, facts.duration or 0.0
    if when is None:
        return None
    if when.hdr is not None and when.hdr != bool(picture and picture.colour.hdr):
        return f"{preset.id} is made of pictures in {'HDR' if when.hdr else 'SDR'} only, and the source has none."
    if when.min_size is not None and (picture is None or min(picture.display_size) < when.min_size):
        return f"{preset.id} is made of pictures of at least {when.min_size} lines only."
    if when.min_seconds is not None and length < when.min_seconds:
        return (
            f"{preset.id} is made of sources of at least {when.min_seconds:g} seconds, and this one has {length:.1f}."
        )
    if when.max_seconds is not None and length > when.max_seconds:
        return f"{preset.id} is made of sources of at most {when.max_seconds:g} seconds, and this one has {length:.1f}."
    return None


def about_rate(track: VideoTrack, rate: Fraction, *, varies: bool) -> Iterator[Decision]:
    """Why this frame rate."""
    shown = f"{float(rate):.3f}".rstrip("0").rstrip(".")
    if varies:
        yield Decision(
            code="constant_frame_rate",
            message=f"The source's frame rate varies; the output has {shown} frames in every second, "
            "so that all renditions can be switched at the same frames.",
        )
    elif track.average_rate and rate < Fraction(track.average_rate) * Fraction(99, 100):
        yield Decision(
            code="frame_rate_capped",
            message=f"{float(Fraction(track.average_rate)):.2f} frames a second are reduced to {shown}.",
        )


def rate_of_standard(rate: Fraction, to: Fraction, output: str) -> Decision:
    """MPEG-2 knows few frame rates."""
    return Decision(
        code="frame_rate_of_standard",
        message=f"MPEG-2 has no {float(rate):.3f} frames a second; {float(to):.3f} are made, some of them twice.",
        output=output,
    )


def about_rungs(track: VideoTrack, made: Sequence[Fitted], left_out: Sequence[Rung], output: str) -> Iterator[Decision]:
    """Which rungs are made and which are not."""
    width, height = track.display_size
    if left_out:
        sizes = ", ".join(f"{rung.size}p" for rung in left_out)
        yield Decision(
            code="rung_dropped_upscale",
            message=f"{sizes} would enlarge the source ({width}x{height}) and is left out.",
            output=output,
        )
    for item in made:
        if item.enlarged:
            yield Decision(
                code="enlarged_to_smallest",
                message=f"{width}x{height} is less than the encoder takes: it is enlarged to {item.width}x{item.height}.",
                output=output,
            )
        elif scale_into(track.display_size, item.rung.size) > 1:
            yield Decision(
                code="rung_at_source_size",
                message=f"{item.rung.size}p is made at the source's own size, {item.width}x{item.height}.",
                output=output,
            )


def sounds_left_out(all_of_them: int, used: int, output: str) -> Decision:
    """More sounds than the output takes."""
    return Decision(
        code="audio_tracks_left_out",
        message=f"The source has {all_of_them} sounds; {'one is' if used == 1 else f'{used} are'} used.",
        output=output,
        warning=True,
    )


def about_subtitles(facts: MediaFacts) -> Iterator[Decision]:
    """Titles that no output can have."""
    images = sum(track.kind == "image" for track in facts.subtitle_tracks)
    unknown = facts.subtitles - images - sum(track.kind == "text" for track in facts.subtitle_tracks)
    if images:
        yield Decision(
            code="subtitles_are_images",
            message=f"{_tracks(images)} pictures of text, which players of files and streams cannot show: left out.",
            warning=True,
        )
    if unknown:
        yield Decision(
            code="subtitles_unreadable",
            message=f"{_tracks(unknown)} in a codec that is not read, and left out.",
            warning=True,
        )


def subtitles_delivered(count: int, output: str) -> Decision:
    """Titles are part of an output."""
    return Decision(code="subtitles_as_text", message=f"{_tracks(count)} delivered as text.", output=output)


def subtitles_left_out(count: int, output: str) -> Decision:
    """Titles that the preset does not ask for, or that are too many."""
    return Decision(
        code="subtitles_left_out", message=f"{_tracks(count)} not part of this output.", output=output, warning=True
    )


def _tracks(count: int) -> str:
    return "A subtitle track is" if count == 1 else f"{count} subtitle tracks are"


def monos_joined(all_of_them: int, used: int) -> Decision:
    """Cameras and editors write each channel into a track of its own."""
    what = "left and right of one sound" if used == _STEREO else "the channels of one 5.1 sound"
    return Decision(
        code="mono_tracks_joined",
        message=f"The source has {all_of_them} mono tracks; the first {used} are {what}.",
        warning=all_of_them > used,
    )


def about_sound(of_source: int, channels: int, *, unplaced: bool) -> Iterator[Decision]:
    """What happens to the channels."""
    if unplaced:
        said = f"Nothing says where its {of_source} channels belong: the first {channels} are taken as they stand."
        yield Decision(code="channels_unplaced", message=said)
    elif channels < of_source:
        to = "stereo" if channels == _STEREO else f"{channels} channels"
        yield Decision(code="mixed_down", message=f"{of_source} channels are mixed down to {to}.")
