"""Which tracks of a source are its sounds, and what they become."""

from omkt_pipeline.domain.media import AudioTrack, MediaFacts

#: Containers of cameras and editors, in which each channel is a track. Elsewhere a mono track is a sound of its own.
_OF_EDITORS = frozenset({"mov", "mxf"})
_STEREO, _SURROUND = 2, 6
#: Sample rates of the compact disc family stay in it; everything else becomes 48 kHz.
_CD_FAMILY = frozenset({11025, 22050, 44100, 88200, 176400})
#: Sounds, and subtitle tracks, of one output at most.
LANGUAGES = 16


def channels_of(facts: MediaFacts) -> tuple[AudioTrack, ...]:
    """The tracks that are the channels of one sound, in their order; empty when each is a sound by itself.

    Six and more begin with a 5.1 sound in the order of SMPTE ST 2035 (left, right, centre, LFE, surrounds), as broadcasters
    deliver it; fewer begin with left and right.
    """
    tracks = facts.audio
    alike = (
        len(tracks) >= _STEREO
        and all(track.channels == 1 for track in tracks)
        and len({track.sample_rate for track in tracks}) == 1
        and len({track.language for track in tracks}) == 1
    )
    if not alike or facts.demuxer not in _OF_EDITORS:
        return ()
    return tracks[: _SURROUND if len(tracks) >= _SURROUND else _STEREO]


def one_for_each_language(first: AudioTrack, tracks: tuple[AudioTrack, ...]) -> tuple[AudioTrack, ...]:
    """The default track, and the first of each further language that the source names."""
    chosen = {first.language: first}
    for track in tracks:
        if track.language is not None and len(chosen) < LANGUAGES:
            chosen.setdefault(track.language, track)
    return tuple(chosen.values())


def usual_rate(track: AudioTrack, codec: str) -> int:
    """Hz: what players expect, and near to the source."""
    return 44100 if track.sample_rate in _CD_FAMILY and codec != "opus" else 48000
