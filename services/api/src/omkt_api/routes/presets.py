"""/v1/presets: what can be asked for; operators add their own."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from omkt_api.deps import SHOWN_AS_KEYED, Api, KeyedRoute, TheApi
from omkt_api.problems import documented
from omkt_api.routes.hosts import FOR_OPERATORS, operators_only
from omkt_api.routes.jobs import KEYED, UNREADABLE
from omkt_pipeline.domain.errors import Conflict, NotFound, Refused
from omkt_pipeline.domain.preset import ID_PATTERN, Preset
from omkt_pipeline.presets import written
from omkt_pipeline.queue.presets import put, remove

router = APIRouter(prefix="/v1/presets", tags=["presets"], route_class=KeyedRoute, dependencies=[SHOWN_AS_KEYED])


PresetId = Annotated[str, Path(pattern=ID_PATTERN, description="Its id.", examples=["mp4-720p-fine"])]


class PresetOut(BaseModel):
    id: str
    version: int = Field(description="Grows when the same source would give another result.")
    kind: str
    title: str
    settings: dict[str, Any] = Field(description="How it encodes; by kind.")
    own: bool = Field(description="Whether an operator of this farm added it; the others come with it.")


class PresetPut(BaseModel):
    """A preset of the farm's own."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {"extends": "mp4-720p", "settings": {"video": {"rungs": [{"size": 720, "crf": 20, "max_kbps": 5000}]}}}
            ]
        },
    )

    extends: str | None = Field(
        default=None,
        max_length=63,
        description="Begin with the settings of this preset; what is said here changes them.",
    )
    kind: str | None = Field(
        default=None, max_length=20, description="Needed where nothing is extended.", examples=["film"]
    )
    title: str = Field(
        default="", max_length=200, description="For people; written from the settings when it is empty."
    )
    settings: dict[str, Any] = Field(
        default_factory=dict, description="As `GET /v1/presets` shows them; docs/presets.md."
    )


class PresetsOut(BaseModel):
    presets: list[PresetOut]


@router.get("", operation_id="list_presets", summary="List presets", responses=documented(*KEYED))
def list_presets(api: TheApi) -> PresetsOut:
    """Every preset of this farm."""
    return PresetsOut(presets=[_shown(api.presets[name], api) for name in sorted(api.presets)])


@router.get(
    "/{preset}",
    operation_id="get_preset",
    summary="Get a preset",
    responses=documented(*KEYED, (404, "preset_unknown")),
)
def get_preset(preset: str, api: TheApi) -> PresetOut:
    """One preset."""
    if preset not in api.presets:
        raise NotFound(f"There is no preset {preset[:64]!r}.", code="preset_unknown")
    return _shown(api.presets[preset], api)


@router.put(
    "/{preset}",
    operation_id="put_preset",
    summary="Add or change a preset",
    dependencies=[Depends(operators_only)],
    responses=documented(
        UNREADABLE, *FOR_OPERATORS, (409, "preset_shipped"), (413, "body_too_large"), (422, "preset_invalid")
    ),
)
def put_preset(preset: PresetId, wanted: PresetPut, api: TheApi) -> PresetOut:
    """For operators. Its version grows when its settings change; jobs that are planned already keep what they have."""
    if api.presets.ships(preset):
        raise Conflict(
            f"{preset} comes with the farm. Store yours under another id; it may extend it.", code="preset_shipped"
        )
    said = (
        {**wanted.settings, "title": wanted.title}
        | {"extends": wanted.extends}
        | ({"kind": wanted.kind} if wanted.kind else {})
    )
    try:
        made = written(preset, said, api.presets)
    except ValueError as error:
        raise Refused(f"This is no preset. {error}", code="preset_invalid") from error
    made = put(api.database, made)
    api.presets.forget()
    return _shown(made, api)


@router.delete(
    "/{preset}",
    operation_id="delete_preset",
    summary="Remove a preset",
    status_code=204,
    dependencies=[Depends(operators_only)],
    responses=documented(*FOR_OPERATORS, (404, "preset_unknown"), (409, "preset_shipped")),
)
def delete_preset(preset: PresetId, api: TheApi) -> Response:
    """For operators. Jobs that are planned with it go on."""
    if api.presets.ships(preset):
        raise Conflict(f"{preset} comes with the farm and stays.", code="preset_shipped")
    remove(api.database, preset)
    api.presets.forget()
    return Response(status_code=204)


def _shown(preset: Preset, api: Api) -> PresetOut:
    settings = preset.model_dump(mode="json", exclude={"id", "version", "kind", "title"})
    own = not api.presets.ships(preset.id)
    return PresetOut(
        id=preset.id, version=preset.version, kind=preset.kind, title=preset.title, settings=settings, own=own
    )
