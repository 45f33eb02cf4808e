"""Collects what the outputs of a job need, each thing once."""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from omkt_pipeline.domain.capacity import Capacity, ChunkRules
from omkt_pipeline.domain.media import MediaFacts, SourceFile, SubtitleTrack, VideoTrack
from omkt_pipeline.domain.plan import Decision, PlannedTask
from omkt_pipeline.domain.preset import (
    AudioSettings,
    FilmPreset,
    HlsPreset,
    PosterPreset,
    PreviewPreset,
    StoryboardPreset,
    ThumbnailsPreset,
    Trim,
    VideoSettings,
)
from omkt_pipeline.domain.recipe import (
    Encode,
    EncodeBoard,
    EncodePreview,
    EncodeStills,
    EncodeTexts,
    EncodeVideo,
    Input,
    Part,
    Still,
    Text,
    VideoRendition,
    singles,
)
from omkt_pipeline.domain.task import TaskKind
from omkt_pipeline.planning import explain
from omkt_pipeline.planning.chunks import cut, part_of
from omkt_pipeline.planning.colour import colour_of
from omkt_pipeline.planning.cost import board_cost, sound_cost, stills_cost, texts_cost, video_cost
from omkt_pipeline.planning.extracting import read_apart
from omkt_pipeline.planning.forms import Forms, together
from omkt_pipeline.planning.naming import numbered, once
from omkt_pipeline.planning.parts import WHOLE, Range, range_of
from omkt_pipeline.planning.picture import ladder_for, renditions_of
from omkt_pipeline.planning.sounds import LANGUAGES, Sounds
from omkt_pipeline.planning.stills import keys_suffice, pieces_of, preview_rendition, sheet_of, spread, stills_of
from omkt_pipeline.planning.timing import gop_frames, mpeg2_rate, rate_for
from omkt_pipeline.planning.tracks import Said, Tracks
from omkt_pipeline.planning.worth import Sampled, worth_having

#: Workers that begin a sound where its film begins, when it is late in a broadcast.
_KNOW_ZERO = 6


class Encodes:
    """The encode tasks of one plan. Equal recipes of several outputs are made once."""

    def __init__(
        self,
        facts: MediaFacts,
        source: SourceFile,
        capacity: Capacity,
        rules: ChunkRules,
        sampled: Mapping[str, Sampled] | None = None,
    ) -> None:
        self._facts, self._source, self._sampled = facts, source, sampled or {}
        self._capacity, self._rules = capacity, rules
        self._tracks, self._said = Tracks(facts, source), Said()
        self._video, self._input = self._tracks.video, self._tracks.input
        self._note = self._said.note
        self._renditions: dict[tuple[Fraction, Range], dict[str, VideoRendition]] = {}
        self._forms = Forms()
        self._sounds = Sounds(self._tracks, self._said)
        self._stills: dict[str, Still] = {}
        self._texts: dict[str, Text] = {}
        self._others: dict[str, tuple[EncodeBoard | EncodePreview, float]] = {}

    @property
    def has_video(self) -> bool:
        return self._video is not None

    @property
    def picture(self) -> VideoTrack | None:
        """The track that is used."""
        return self._video

    @property
    def decisions(self) -> tuple[Decision, ...]:
        return self._said.decisions

    def ladder(
        self, settings: VideoSettings, output: str, trim: Trim | None = None, segments: float | None = None
    ) -> tuple[Part, ...]:
        """The renditions of an output, best first, to be cut into segments of so many seconds; none without a picture."""
        track = self._video
        if track is None:
            self._note(explain.no_video(output))
            return ()
        rate, varies = rate_for(track, settings.max_rate)
        rate, of_source = (mpeg2_rate(rate), rate) if settings.codec == "mpeg2video" else (rate, rate)
        if rate != of_source:
            self._note(explain.rate_of_standard(of_source, rate, output))
        fitted, left_out = ladder_for(track.display_size, settings.rungs, settings.codec)
        hdr = settings.hdr and track.colour.hdr is not None
        self._note(*explain.about_picture(track), *explain.about_rate(track, rate, varies=varies))
        self._note(*explain.about_colour(track, kept=hdr, output=output))
        self._note(*explain.about_captions(track, settings.codec, output))
        self._note(*explain.about_rungs(track, fitted, left_out, output))
        renditions = renditions_of(fitted, settings, rate, hdr=hdr)
        if settings.ladder == "auto":
            renditions, said = worth_having(renditions, self._sampled.get(output), output)
            self._note(*said)
        part = range_of(trim, self._input(track).duration, rate)
        if not part.whole:
            self._note(explain.trimmed(part, output))
        task = self._video_task(rate, part)
        known = self._renditions[rate, part]
        return self._forms.wanted((Part(task=task, name=once(one, known)) for one in renditions), segments)

    def segments_of(self, preset: HlsPreset | FilmPreset) -> float | None:
        """Seconds of a segment of this preset: whole groups of pictures, as near as they come to what it says; None for a
        film in one file."""
        if not isinstance(preset, HlsPreset):
            return None
        if self._video is None:
            return preset.segment_seconds
        rate, _ = rate_for(self._video, preset.video.max_rate)
        gop = gop_frames(rate, preset.video.gop_seconds)
        return float(gop * max(1, round(preset.segment_seconds * rate / gop)) / rate)

    def sound(
        self, settings: AudioSettings, output: str, part: Range = WHOLE, segments: float | None = None
    ) -> tuple[Part, ...]:
        """The sound of an output, the default one first, to be cut as `ladder` is; none when the source has none."""
        return self._forms.wanted(self._sounds.parts(settings, output, part), segments)

    def sound_alone(self, settings: AudioSettings, output: str, part: Range = WHOLE) -> tuple[Part, ...]:
        """The sound of an output that has no picture."""
        parts = self.sound(settings, output, part)
        self._forms.heard_alone(parts)
        return parts

    def texts(self, output: str, *, wanted: bool, part: Range = WHOLE) -> tuple[Part, ...]:
        """The titles of an output that are text; none when it wants none."""
        tracks = [track for track in self._facts.subtitle_tracks if track.kind == "text"]
        chosen = tracks[:LANGUAGES] if wanted else []
        if chosen:
            self._note(explain.subtitles_delivered(len(chosen), output))
        if len(tracks) > len(chosen):
            self._note(explain.subtitles_left_out(len(tracks) - len(chosen), output))
        return tuple(Part(task="texts", name=once(_text(track, part), self._texts)) for track in chosen)

    def stills(self, preset: ThumbnailsPreset | PosterPreset) -> tuple[Part, ...]:
        """The stills of an output. Call only when there is video."""
        assert self._video is not None  # noqa: S101 - the caller asked has_video
        stills = stills_of(preset, self._video, self._input(self._video).duration)
        self._note(
            *explain.about_picture(self._video), *explain.about_colour(self._video, kept=False, output=preset.id)
        )
        return tuple(Part(task="stills", name=once(still, self._stills)) for still in stills)

    def board(self, preset: StoryboardPreset) -> Part:
        """The sheets of a storyboard. Call only when there is video."""
        track, length = self._shown(preset.id)
        apart, count = spread(preset, length)
        recipe = EncodeBoard(
            **self._pictures(track), **sheet_of(preset, track, apart, count), name="board",
            keys_only=keys_suffice(track, length, apart),
        )  # fmt: skip
        return self._other("board", recipe, board_cost(length, track.width * track.height, keys_only=recipe.keys_only))

    def preview(self, preset: PreviewPreset) -> Part:
        """A few moments of the film. Call only when there is video."""
        track, length = self._shown(preset.id)
        rate, _ = rate_for(track, preset.max_rate)
        starts, seconds = pieces_of(preset, length)
        recipe = EncodePreview(
            **self._pictures(track), rate=f"{rate.numerator}/{rate.denominator}", starts=starts,
            frames=max(1, math.floor(rate * Fraction(seconds))), rendition=preview_rendition(preset, track, rate),
        )  # fmt: skip
        return self._other("preview", recipe, stills_cost(4 * len(starts)))

    def _shown(self, output: str) -> tuple[VideoTrack, float]:
        assert self._video is not None  # noqa: S101 - the caller asked has_video
        self._note(*explain.about_picture(self._video), *explain.about_colour(self._video, kept=False, output=output))
        return self._video, self._input(self._video).duration

    def _pictures(self, track: VideoTrack) -> dict[str, Any]:
        """What all recipes for pictures in SDR begin with."""
        return {
            "input": self._input(track),
            "deinterlace": track.interlaced,
            "tone_map": track.colour.hdr,
            "colour": colour_of(track),
        }

    def _other(self, name: str, recipe: EncodeBoard | EncodePreview, cost: float) -> Part:
        """A task of its own for a recipe; equal ones are done once."""
        key = next((key for key, (known, _) in self._others.items() if known == recipe), None)
        if key is None:
            key = numbered(name, sum(one.startswith(name) for one in self._others))
            self._others[key] = recipe, cost
        return Part(task=key, name=name)

    def tasks(self) -> tuple[tuple[PlannedTask, ...], dict[str, tuple[str, ...]]]:
        """The encode tasks, cheap ones first; and the keys of those that take the place of another: chunks of a whole, or
        the film beside which a sound is encoded."""
        sounds = [
            _task(key, self._forms.sound(recipe, key), sound_cost(recipe))
            for key, recipe in self._sounds.recipes.items()
        ]
        films, instead = self._films(sounds)
        tasks = [sound for sound in sounds if sound.key not in instead]
        if self._video is not None and self._capacity.afar:
            tasks = [*read_apart(tasks, self._source, begins=self._facts.start)]
        if self._stills and self._video is not None:
            stills = EncodeStills(**self._pictures(self._video), stills=tuple(self._stills.values()))
            tasks.append(_task("stills", stills, stills_cost(len(self._stills))))
        tasks.extend(_task(key, recipe, cost) for key, (recipe, cost) in self._others.items())
        if self._texts:
            texts = tuple(self._texts.values())
            film = Input(
                source=self._source,
                demuxer=self._facts.demuxer,
                index=texts[0].index,
                duration=self._facts.duration or 0.0,
            )
            tasks.append(_task("texts", EncodeTexts(input=film, texts=texts), texts_cost(film.duration)))
        return (*tasks, *films), instead

    def _films(self, sounds: list[PlannedTask]) -> tuple[tuple[PlannedTask, ...], dict[str, tuple[str, ...]]]:
        """The tasks that encode pictures, and those of which they take the place."""
        tasks: list[PlannedTask] = []
        instead: dict[str, tuple[str, ...]] = {}
        for (rate, part), known in self._renditions.items():
            whole = self._encode_video(rate, part, known)
            chunks = self._chunks_of(whole) if part.whole else ()
            if chunks:
                instead[whole.key] = tuple(chunk.key for chunk in chunks)
            else:
                beside = [sound for sound in self._forms.beside(sounds) if sound.key not in instead]
                both = together(whole, beside)
                instead |= {sound.key: (whole.key,) for sound in beside if both is not None}
                whole = both or whole
            tasks.extend(chunks or (whole,))
        return tuple(tasks), instead

    def _chunks_of(self, whole: PlannedTask) -> tuple[PlannedTask, ...]:
        """The tasks that encode a film in chunks; none when it stays whole."""
        track = self._video
        assert track is not None  # noqa: S101 - there is a picture to encode
        recipe = EncodeVideo.model_validate(whole.spec)
        cutting = cut(self._facts, track, recipe, cost=whole.cost, capacity=self._capacity, rules=self._rules)
        self._note(cutting.decision)
        parts = (recipe.model_copy(update={"chunk": chunk}) for chunk in cutting.chunks)
        return tuple(
            _task(f"{whole.key}.{number:04d}", part, round(whole.cost * part.seconds / recipe.input.duration, 1))
            for number, part in enumerate(parts)
        )

    def _encode_video(self, rate: Fraction, part: Range, known: dict[str, VideoRendition]) -> PlannedTask:
        track = self._video
        assert track is not None  # noqa: S101 - renditions exist only for a picture
        recipe = EncodeVideo(
            input=self._input(track),
            rate=f"{rate.numerator}/{rate.denominator}",
            deinterlace=track.interlaced,
            tone_map=track.colour.hdr if any(not rendition.hdr for rendition in known.values()) else None,
            colour=colour_of(track),
            chunk=None if part.whole else part_of(self._facts, track, rate, part.first, part.frames),
            mastering=track.mastering if any(rendition.hdr for rendition in known.values()) else None,
            renditions=tuple(
                self._forms.picture(one, self._video_task(rate, part), rate)
                for one in sorted(known.values(), key=lambda r: r.width * r.height, reverse=True)
            ),
        )
        cost = video_cost(
            recipe.seconds,
            rate,
            track.width * track.height,
            recipe.renditions,
            deinterlace=recipe.deinterlace,
            tone_map=recipe.tone_map is not None,
        )
        return _task(self._video_task(rate, part), recipe, cost)

    def _video_task(self, rate: Fraction, part: Range) -> str:
        self._renditions.setdefault((rate, part), {})
        return numbered("video", list(self._renditions).index((rate, part)))

    def part(self, trim: Trim | None, settings: VideoSettings | None) -> Range:
        """The part of the source that an output wants, on the frames of its picture where it has one."""
        track = self._video
        if track is None or settings is None:
            return range_of(trim, self._facts.duration or 0.0, None)
        rate, _ = rate_for(track, settings.max_rate)
        rate = mpeg2_rate(rate) if settings.codec == "mpeg2video" else rate
        return range_of(trim, self._input(track).duration, rate)


def _text(track: SubtitleTrack, part: Range) -> Text:
    return Text(
        name=f"text-{track.language or track.index}",
        index=track.index,
        begin=part.begin,
        end=part.end,
        language=track.language,
        forced=track.forced,
        for_deaf=track.for_deaf,
    )


def _task(key: str, recipe: Encode, cost: float) -> PlannedTask:
    version = _KNOW_ZERO if any(one.input.zero_by is not None for one in singles(recipe)) else 0
    return PlannedTask(
        key=key, kind=TaskKind.ENCODE, spec=recipe.model_dump(mode="json"), cost=cost, spec_version=version
    )
