"""What all answers of a farm have in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Something that a farm said, as it said it."""

    model_config = ConfigDict(frozen=True, extra="allow")

    @property
    def raw(self) -> dict[str, Any]:
        """All that the farm said of it, as JSON has it."""
        return self.model_dump(mode="json")
