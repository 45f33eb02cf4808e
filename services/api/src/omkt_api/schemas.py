"""What clients send. Unknown fields are refused: a typing error must not become a default."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    model_validator,
)
from pydantic import Tag as TagOf

from omkt_pipeline.domain.job import Priority, Source, SourceKind, Variation


def _demand_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("write it as text, like 2026-12-31T23:59:59Z")
    return value


#: RFC 3339 with a time zone. Numbers would be taken for seconds of 1970, which nobody means.
Moment = Annotated[AwareDatetime, BeforeValidator(_demand_text)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceIn(_In):
    """Where the media comes from: exactly one of the five."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    url: str | None = Field(
        default=None,
        min_length=1,
        max_length=2048,
        description="An http or https address. The farm fetches it; it must lie in the public Internet.",
        examples=["https://media.example/films/a.mov"],
    )
    upload: str | None = Field(
        default=None, min_length=1, max_length=64, description="The id that `POST /v1/uploads` answered."
    )
    path: str | None = Field(
        default=None,
        min_length=1,
        max_length=1024,
        description="A file that the operator put into the share's folder `incoming`, relative to it.",
        examples=["films/a.mov"],
    )
    media: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="The id of a media that the farm has: it is neither fetched nor probed again.",
    )

    concat: list[Annotated[str, Field(min_length=1, max_length=64, pattern="^[^,]*$")]] | None = Field(
        default=None,
        min_length=2,
        max_length=32,
        description="Ids of probed media that are laid behind each other, in this order; one may come more than once. What comes "
        "out is a media of its own, in the size and rate of the first picture.",
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in self._values()) != 1:
            raise ValueError("give exactly one of url, upload, path, media and concat")
        return self

    def as_source(self) -> Source:
        """The same in the domain's words."""
        for kind, value in zip(_KINDS, self._values(), strict=True):
            if value is not None:
                return Source(kind=kind, value=value)
        raise AssertionError("validated above")

    def _values(self) -> tuple[str | None, ...]:
        joined = ",".join(self.concat) if self.concat is not None else None
        return self.url, self.upload, self.path, self.media, joined


_KINDS = (SourceKind.URL, SourceKind.UPLOAD, SourceKind.PATH, SourceKind.MEDIA, SourceKind.CONCAT)


Topic = Literal["job.succeeded", "job.failed", "job.cancelled", "output.published"]


class CallbackIn(_In):
    """Where the farm reports the end of the job, signed as the Standard Webhooks specification says."""

    url: str = Field(min_length=1, max_length=2048, examples=["https://shop.example/hooks/omkt"])
    types: list[Topic] = Field(
        default=[],
        description="Only these types of events; none: the job's ends.",
        json_schema_extra={"uniqueItems": True},
        max_length=len(get_args(Topic)),
    )


PresetId = Annotated[str, Field(min_length=1, max_length=63)]


class VariationIn(_In):
    """A preset with some of its settings changed for this job."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"id": "teaser", "preset": "mp4-720p", "settings": {"trim": {"start": 12.5, "end": 27.5}}}]
        }
    )

    preset: PresetId
    id: PresetId | None = Field(default=None, description="The output's name; by default the preset's id.")
    settings: dict[str, Any] = Field(
        max_length=32, description="As `GET /v1/presets` shows them; what is not said stays as the preset has it."
    )

    def as_variation(self) -> Variation:
        """The same in the domain's words."""
        return Variation(id=self.id or self.preset, preset=self.preset, settings=self.settings)


#: In angle brackets: which of several forms was meant is left out of the names of fields (problems.py).
Wanted = Annotated[
    Annotated[PresetId, TagOf("<name>")] | Annotated[VariationIn, TagOf("<variation>")],
    Discriminator(lambda one: "<name>" if isinstance(one, str) else "<variation>"),
]
Tag = Annotated[str, Field(min_length=1, max_length=64)]


def _names(presets: Sequence[Wanted]) -> list[str]:
    return [one if isinstance(one, str) else one.as_variation().id for one in presets]


def _demand_different(presets: Sequence[Wanted]) -> None:
    names = _names(presets)
    if len(set(names)) != len(names):
        raise ValueError("presets must differ from each other; give one of them another id")


class JobCreate(_In):
    """A request for outputs of one media."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "source": {"url": "https://media.example/films/a.mov"},
                    "presets": ["hls-h264", "thumbnails"],
                    "callback": {"url": "https://shop.example/hooks/omkt"},
                    "client_data": "order 4711",
                }
            ]
        }
    )

    source: SourceIn
    presets: list[Wanted] = Field(
        min_length=1,
        max_length=16,
        description="Ids of `GET /v1/presets`, or objects that change some settings of one. Names of outputs differ.",
        json_schema_extra={"uniqueItems": True},
    )
    priority: Priority = Field(default=Priority.NORMAL, description="Jobs of a higher priority always start first.")
    callback: CallbackIn | None = None
    client_data: str | None = Field(default=None, max_length=2048, description="Your own words; echoed back.")
    tags: list[Tag] = Field(default=[], max_length=16, description="Your own labels; echoed back.")
    not_before: Moment | None = Field(default=None, description="Nothing begins before this moment.")
    deadline: Moment | None = Field(
        default=None, description="A job that has not ended by this moment fails with `deadline_passed`."
    )

    first: PresetId | None = Field(
        default=None,
        description="The output that is made by itself and before the others: something to play while they are made.",
    )

    @model_validator(mode="after")
    def _presets_differ(self) -> Self:
        _demand_different(self.presets)
        if self.first is not None and self.first not in _names(self.presets):
            raise ValueError("first must be the name of one of the outputs in presets")
        return self

    @model_validator(mode="after")
    def _times_are_in_order(self) -> Self:
        if self.deadline and self.not_before and self.deadline <= self.not_before:
            raise ValueError("deadline must be after not_before")
        return self


class OutputsAdd(_In):
    """More outputs of a job's source."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"presets": ["mp4-720p"]}]})

    presets: list[Wanted] = Field(
        min_length=1, max_length=16, description="As for a new job.", json_schema_extra={"uniqueItems": True}
    )

    @model_validator(mode="after")
    def _presets_differ(self) -> Self:
        _demand_different(self.presets)
        return self


class JobChange(_In):
    """What can be changed while a job is open."""

    priority: Priority


class MediaCreate(_In):
    """A source to be brought and looked at."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"source": {"url": "https://media.example/films/a.mov"}}]}
    )

    source: SourceIn
    measure: StrictBool = Field(
        default=False, description="Look and listen through all of it: loudness, borders, black, silence, scenes."
    )


class ProbeCreate(_In):
    """How a media is looked at again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"measure": True}]})

    measure: StrictBool = Field(default=False, description="As for a new media.")


class MediaChange(_In):
    """How long an original is kept."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"keep_until": "2030-01-01T00:00:00Z"}]})

    keep_until: Moment | None = Field(
        description="The original is kept until this moment and no longer; null: as long as the farm's rule says."
    )


class PlanCreate(_In):
    """A question what a job would do."""

    media: str = Field(min_length=1, max_length=64, description="The id of a media that was probed.")
    presets: list[Wanted] = Field(min_length=1, max_length=16, json_schema_extra={"uniqueItems": True})
