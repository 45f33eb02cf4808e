"""/v1/presets: what can be asked for."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from omkt_api.deps import SHOWN_AS_KEYED, KeyedRoute, TheApi
from omkt_api.problems import documented
from omkt_api.routes.jobs import KEYED
from omkt_pipeline.domain.errors import NotFound
from omkt_pipeline.domain.preset import Preset

router = APIRouter(prefix="/v1/presets", tags=["presets"], route_class=KeyedRoute, dependencies=[SHOWN_AS_KEYED])


class PresetOut(BaseModel):
    id: str
    version: int = Field(description="Grows when the same source would give another result.")
    kind: str
    title: str
    settings: dict[str, Any] = Field(description="How it encodes; by kind.")


class PresetsOut(BaseModel):
    presets: list[PresetOut]


@router.get("", operation_id="list_presets", summary="List presets", responses=documented(*KEYED))
async def list_presets(api: TheApi) -> PresetsOut:
    """Every preset of this farm."""
    return PresetsOut(presets=[_shown(api.presets[name]) for name in sorted(api.presets)])


@router.get(
    "/{preset}",
    operation_id="get_preset",
    summary="Get a preset",
    responses=documented(*KEYED, (404, "preset_unknown")),
)
async def get_preset(preset: str, api: TheApi) -> PresetOut:
    """One preset."""
    if preset not in api.presets:
        raise NotFound(f"There is no preset {preset[:64]!r}.", code="preset_unknown")
    return _shown(api.presets[preset])


def _shown(preset: Preset) -> PresetOut:
    settings = preset.model_dump(mode="json", exclude={"id", "version", "kind", "title"})
    return PresetOut(id=preset.id, version=preset.version, kind=preset.kind, title=preset.title, settings=settings)
