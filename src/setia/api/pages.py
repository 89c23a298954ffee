"""Pages of a list: cut by a cursor that names the last row seen, so that rows added meanwhile shift nothing."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from setia.problems import ErrorItem, Unprocessable

MOST = 200
T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=MOST, description="Most rows of one page.")]
Cursor = Annotated[
    str | None, Query(max_length=500, description="`next_cursor` of the page before; without it, the first page.")
]


class WrongCursor(Unprocessable):
    """The cursor was not given by this list."""

    code = "invalid_cursor"
    title = "This cursor does not belong to this list"


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last one.")


def write_cursor(kind: str, *place: str | int) -> str:
    """A cursor of the list `kind`. It holds no secret: what a caller may see is checked again on each page."""
    return base64.urlsafe_b64encode(json.dumps([kind, *place], separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(kind: str, cursor: str | None, *types: Callable[[Any], Any]) -> list[Any] | None:
    """The place a cursor names, each part read by its type; None without a cursor; raises `WrongCursor`."""
    if cursor is None:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        found, *place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        parts = [read(part) for read, part in zip(types, place, strict=True)]
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _wrong() from error
    if found != kind:
        raise _wrong()
    return parts


def _wrong() -> WrongCursor:
    item = ErrorItem(pointer="#/query/cursor", message="Send the next_cursor of a page of this list, unchanged.")
    return WrongCursor(errors=[item])


def cut(rows: Sequence[T], limit: int, cursor: Callable[[T], str]) -> tuple[list[T], str | None]:
    """Cut `limit` rows off `limit + 1` that were read; the cursor is None when nothing follows."""
    if len(rows) <= limit:
        return list(rows), None
    page = list(rows[:limit])
    return page, cursor(page[-1])
