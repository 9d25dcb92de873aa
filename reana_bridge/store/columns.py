"""Columns that many tables have."""

from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field

from reana_bridge.store.ids import new_id

Json = Any
"""What `model.codec` makes: a mapping, or a list of such."""


def id_column() -> Any:
    """An opaque id, made with the row."""
    return Field(default_factory=new_id, primary_key=True, max_length=26)


def json_column() -> Any:
    """A value as `model.codec` makes it; NULL for none."""
    return Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
