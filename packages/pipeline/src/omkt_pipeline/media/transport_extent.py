"""Every picture of a plain MPEG transport stream, from the heads of its packets: what ffprobe tells when it prints each frame.

Plain is one progressive picture in H.264 or HEVC whose frames come one by one and evenly, with sounds whose packets all last
equally long. The rest, such as a clock that begins anew, is left to ffprobe.
"""

import threading
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import accumulate, islice
from operator import sub
from pathlib import Path

from omkt_pipeline.domain.media import AudioTrack, MediaFacts, VideoTrack
from omkt_pipeline.media.extent import Extent, NotPlainError
from omkt_pipeline.media.sound_frames import frames_in
from omkt_pipeline.media.transport import CLOCK, Packets, Track
from omkt_pipeline.media.units import begins_anew, units_of

_PICTURES = frozenset({"h264", "hevc"})
_PROGRESSIVE = (None, "progressive", "unknown")
_SOUNDS = frozenset({"aac", "ac3", "eac3", "mp2", "mp3"})
#: More of E-AC-3 lie in two frames that are one packet.
_MOST_CHANNELS = 6
#: The clock has 33 bits; near its end, libavformat counts downwards from it.
_LATEST = (1 << 33) - 120 * CLOCK
_UNEVEN = 2  #: units by which a frame may be off, for rounding
_SOUND_PAUSES = 1 * CLOCK
#: Of a picture at which decoding may begin, what can lie before the picture itself.
_MOST_PIECES = 64


def extent_of(
    path: Path,
    facts: MediaFacts,
    lasting: Mapping[int, float],
    numbers: Mapping[int, int],
    *,
    stop: threading.Event | None = None,
) -> Extent | None:
    """What a pass over all packets would tell. `lasting`: seconds of each track's frames, as the first of them say; `numbers`:
    the PID of each track.

    None where the stream is not plain: ffprobe must read it.
    """
    try:
        if not _is_plain(facts):
            return None
        wanted: list[VideoTrack | AudioTrack] = [*facts.video, *facts.audio]
        tracks = {track.index: Track() for track in wanted}
        extent = Extent(whole=True)
        with path.open("rb", buffering=0) as stream:
            packets = Packets(stream, stop)
            packets.note({numbers[index]: track for index, track in tracks.items()})
            for picture in facts.video:
                _take_picture(extent, picture, tracks[picture.index], lasting[picture.index])
                for at in tracks[picture.index].key_offsets:
                    _check_key(picture.codec, packets.data_of(numbers[picture.index], at))
            for sound in facts.audio:
                last = b"".join(packets.data_of(numbers[sound.index], tracks[sound.index].last_offset))
                _take_sound(extent, sound, tracks[sound.index], frames_in(sound.codec, last) * lasting[sound.index])
    except (NotPlainError, ValueError, IndexError, KeyError):
        return None
    return extent


def _is_plain(facts: MediaFacts) -> bool:
    return (
        len(facts.video) == 1
        and all(one.codec in _PICTURES and one.field_order in _PROGRESSIVE for one in facts.video)
        and all(one.codec in _SOUNDS and one.channels <= _MOST_CHANNELS for one in facts.audio)
    )


def _take_picture(extent: Extent, picture: VideoTrack, track: Track, lasts: float) -> None:
    """Raises NotPlainError where the frames are not evenly spaced by the rate that the picture has."""
    if not track.times or max(track.times) > _LATEST:
        raise NotPlainError
    rate = Fraction(picture.average_rate or 0)
    if not rate:
        raise NotPlainError
    step = float(CLOCK / rate)
    ordered = sorted(track.times)
    if not all(-_UNEVEN < found - step < _UNEVEN for found in map(sub, ordered[1:], ordered)):
        raise NotPlainError
    extent.add_pictures(picture.index, track.times, track.keys, _seconds)
    extent.ends[picture.index] = _seconds(ordered[-1]) + lasts
    extent.shown.add(picture.index)


def _check_key(codec: str, pieces: Iterable[bytes]) -> None:
    """Raises NotPlainError where a picture that is marked as one to begin with is none."""
    answers = (begins_anew(codec, data, units_of(data)) for data in accumulate(islice(pieces, _MOST_PIECES)))
    if not next((answer for answer in answers if answer is not None), False):
        raise NotPlainError


def _take_sound(extent: Extent, sound: AudioTrack, track: Track, lasts: float) -> None:
    """`lasts`: seconds of its last PES packet. Raises NotPlainError where it pauses or steps back."""
    if not track.times:
        return
    if not lasts or not all(0 < step < _SOUND_PAUSES for step in map(sub, track.times[1:], track.times)):
        raise NotPlainError
    extent.ends[sound.index] = _seconds(track.times[-1]) + lasts
    extent.shown.add(sound.index)


def _seconds(time: int) -> float:
    return round(time / CLOCK, 6)
