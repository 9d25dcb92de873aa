"""Lists page by page: newest first, from a place in the list instead of a number of rows to skip.

A cursor is opaque to its reader; it holds the last row's id, so pages neither repeat nor miss rows that
come meanwhile.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import AfterValidator, BaseModel, Field

from reana_bridge.web.problems import Problem

Item = TypeVar("Item")
MOST = 200


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not hold NUL")
    return text


Filter = Annotated[
    str | None, Query(max_length=500), AfterValidator(lambda v: v if v is None else _no_nul(v))
]
Named = Annotated[str, Query(max_length=500), AfterValidator(_no_nul)]
Text = Annotated[str, Field(max_length=500), AfterValidator(_no_nul)]
Limit = Annotated[int, Query(ge=1, le=MOST, description="At most so many items.")]
Cursor = Annotated[
    str, Query(max_length=1000, description="`next_cursor` of the page before; empty for the first.")
]


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last.")


@dataclass(frozen=True)
class Slice:
    """Which part of a list was asked for: at most `limit` items after the keys `after` (None: the first)."""

    limit: int
    after: tuple[str, ...] | None

    def page(self, rows: Sequence[Any], keys: Sequence[tuple[str, ...]], items: Sequence[Any]) -> Page[Any]:
        """The page of `rows` (one more than `limit` where there are more), shown as `items`."""
        more = len(rows) > self.limit
        cursor = encode(keys[self.limit - 1]) if more else None
        return Page(items=list(items[: self.limit]), next_cursor=cursor)


def encode(keys: tuple[str, ...]) -> str:
    """The cursor that stands for the row with these keys."""
    return base64.urlsafe_b64encode(json.dumps(keys).encode()).decode().rstrip("=")


def decode(cursor: str, count: int) -> tuple[str, ...] | None:
    """The `count` keys that a cursor stands for; None for an empty one.

    Raises:
        Problem: It is not one of ours.
    """
    if not cursor:
        return None
    try:
        keys: Any = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        keys = None
    if not isinstance(keys, list) or [type(key) for key in keys] != [str] * count:  # pyright: ignore
        raise Problem(422, "`cursor` is not one that this list has given; leave it out for the first page.")
    if any("\x00" in key or not key.isprintable() for key in keys):  # pyright: ignore
        raise Problem(422, "`cursor` is not one that this list has given; leave it out for the first page.")
    return tuple(keys)  # pyright: ignore
