"""Which tracks of a source are its sounds, and what they become."""

from omkt_pipeline.domain.media import AudioTrack, MediaFacts
from omkt_pipeline.domain.preset import AudioSettings
from omkt_pipeline.domain.recipe import EncodeAudio, Part
from omkt_pipeline.planning import explain
from omkt_pipeline.planning.naming import numbered
from omkt_pipeline.planning.parts import Range
from omkt_pipeline.planning.tracks import Said, Tracks

#: Containers of cameras and editors, in which each channel is a track. Elsewhere a mono track is a sound of its own.
_OF_EDITORS = frozenset({"mov", "mxf"})
_STEREO, _SURROUND = 2, 6
#: Channels of which ffmpeg takes the usual layout where none is named.
_MOST_PLACED = 8
#: Sample rates of the compact disc family stay in it; everything else becomes 48 kHz.
_CD_FAMILY = frozenset({11025, 22050, 44100, 88200, 176400})
#: Sounds, and subtitle tracks, of one output at most.
LANGUAGES = 16


class Sounds:
    """The sounds of one plan. Equal recipes of several outputs are made once."""

    def __init__(self, tracks: Tracks, said: Said) -> None:
        self._tracks, self._said = tracks, said
        self.recipes: dict[str, EncodeAudio] = {}

    def parts(self, settings: AudioSettings, output: str, part: Range) -> tuple[Part, ...]:
        """The sounds of one output, the default one first; none when the source has none."""
        default, every = self._tracks.audio, self._tracks.facts.audio
        if default is None:
            self._said.note(explain.no_audio(output))
            return ()
        if channels := channels_of(self._tracks.facts):
            return (self._one(channels[0], settings, 0, output, part, channels),)
        tracks = one_for_each_language(default, every) if settings.every_language else (default,)
        left_out = len(every) - len(tracks)
        if left_out:
            self._said.note(explain.sounds_left_out(len(every), len(tracks), output))
        return tuple(self._one(track, settings, number, output, part) for number, track in enumerate(tracks))

    def _one(
        self,
        track: AudioTrack,
        settings: AudioSettings,
        number: int,
        output: str,
        part: Range,
        monos: tuple[AudioTrack, ...] = (),
    ) -> Part:
        """One sound of an output: a track, or several `monos` that are its channels."""
        name = "audio" if settings.codec == "aac" else f"audio-{settings.codec}"
        of_source = max(track.channels, len(monos))
        channels = min(of_source, settings.max_channels)
        if monos:
            self._said.note(explain.monos_joined(len(self._tracks.facts.audio), len(monos)))
        longest = max((self._tracks.input(one) for one in (track, *monos)), key=lambda one: one.duration)
        recipe = EncodeAudio(
            input=longest.model_copy(update={"index": track.index, "duration": _seconds(part, longest.duration)}),
            begin=part.begin,
            end=part.end,
            beside=tuple(one.index for one in monos[1:]),
            name=f"{name}-{track.language or track.index}" if number else name,
            codec=settings.codec,
            channels=channels,
            unplaced=of_source > _MOST_PLACED and not _is_placed(track),
            sample_rate=settings.sample_rate or usual_rate(track, settings.codec),
            kbps=channels * settings.kbps_per_channel,
            best=settings.best,
            loudness=settings.loudness,
            language=track.language,
        )
        if settings.loudness is not None:
            self._said.note(explain.loudness(settings.loudness, output))
        self._said.note(*explain.about_sound(of_source, channels, unplaced=recipe.unplaced))
        for key, known in self.recipes.items():
            if known == recipe:
                return Part(task=key, name=known.name)
        key = numbered("audio", len(self.recipes))
        self.recipes[key] = recipe
        return Part(task=key, name=recipe.name)


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


def _is_placed(track: AudioTrack) -> bool:
    """Whether the source says where the channels of a track belong; ffprobe's words for not are of several versions."""
    return track.layout is not None and track.layout != "unknown" and not track.layout.endswith(" channels")


def usual_rate(track: AudioTrack, codec: str) -> int:
    """Hz: what players expect, and near to the source."""
    return 44100 if track.sample_rate in _CD_FAMILY and codec != "opus" else 48000


def _seconds(part: Range, length: float) -> float:
    """How long a track of `length` is in a part of its source."""
    end = length if part.end is None else min(part.end, length)
    return round(max(0.0, end - part.begin), 6)
