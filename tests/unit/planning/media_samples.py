"""Facts of media as probing would find them, for planning tests."""

from typing import Any

from omkt_pipeline.domain.media import AudioTrack, MediaFacts, SourceFile, VideoTrack
from omkt_pipeline.domain.plan import Plan
from omkt_pipeline.domain.recipe import EncodeVideo, Single, encode_spec, singles
from omkt_pipeline.planning.plan import plan_job
from omkt_pipeline.presets import shipped

SOURCE = SourceFile(path="originals/m/a1/original", bytes=1_000_000)
STEREO = AudioTrack(index=1, codec="aac", channels=2, sample_rate=48000, duration=60.0)


def video(width: int = 1920, height: int = 1080, **more: Any) -> VideoTrack:
    rates = {"average_rate": "25/1", "base_rate": "25/1", "duration": 60.0}
    return VideoTrack(index=0, codec="h264", width=width, height=height, **{**rates, **more})


def facts(*tracks: VideoTrack | AudioTrack, **more: Any) -> MediaFacts:
    return MediaFacts(
        container="mov,mp4,m4a,3gp,3g2,mj2",
        duration=60.0,
        video=tuple(track for track in tracks if isinstance(track, VideoTrack)),
        audio=tuple(track for track in tracks if isinstance(track, AudioTrack)),
        **more,
    )


def planned(found: MediaFacts, *presets: str) -> Plan:
    known = shipped()
    return plan_job(found, SOURCE, [known[name] for name in presets])


def codes(plan: Plan) -> set[str]:
    return {decision.code for decision in plan.decisions}


def sizes(plan: Plan, task: str = "video") -> list[tuple[str, int, int]]:
    (film,) = (recipe for recipe in recipes(plan, task) if isinstance(recipe, EncodeVideo))
    return [(rendition.name, rendition.width, rendition.height) for rendition in film.renditions]


def recipes(plan: Plan, task: str) -> tuple[Single, ...]:
    """What an encode task of a plan does, one after the other."""
    return singles(encode_spec.validate_python(next(one.spec for one in plan.tasks if one.key == task)))
