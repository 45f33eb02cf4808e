"""Columns that many tables have."""

from typing import Any, cast

from sqlalchemy import Column, Table
from sqlmodel import Field, SQLModel

from omkt_pipeline.db.types import BigKey, Instant


def numbered() -> Any:
    """A key that the database counts."""
    return Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))


def moment(*, nullable: bool = False) -> Any:
    """A moment in UTC."""
    return Field(default=None, sa_column=Column(Instant(), nullable=nullable))


def table_of(row: type[SQLModel]) -> Table:
    """The table behind a row's class."""
    return cast(Table, row.__table__)  # type: ignore[attr-defined]
