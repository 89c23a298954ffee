"""A small shop for the tests: a schema like the engine's, and objects that fit it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from setia.expressions import (
    BOOL,
    DECIMAL,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    EvaluationError,
    Expression,
    ListOf,
    MapOf,
    Message,
    Schema,
    compile_expression,
)

LINE = Message("Line", {"sku": STRING, "total": DECIMAL, "quantity": INT, "labels": ListOf(STRING)})
STORE = Message("Store", {"city": STRING, "open": BOOL})
EVENT = Message(
    "Event",
    {
        "total": DECIMAL,
        "count": INT,
        "lines": ListOf(LINE),
        "at": TIMESTAMP,
        "wait": DURATION,
        "channel": STRING,
        "first": BOOL,
        "class": STRING,
        "store": STORE,
        "extra": DYN,
    },
)
ATTRIBUTES = Message(
    "Attributes",
    {
        "city": STRING,
        "age": INT,
        "anything": DYN,
        "scores": MapOf(INT),
        "grid": ListOf(ListOf(INT)),
        "fooBar": STRING,
        "foo_bar": STRING,
        "nested_maps": MapOf(MapOf(INT)),
        "address": Message("Address", {"zip": STRING}, "key"),
    },
    "key",
)
MEMBER = Message("Member", {"attributes": ATTRIBUTES, "tags": ListOf(STRING)})
SHOP = Schema(
    {
        "event": EVENT,
        "line": LINE,
        "member": MEMBER,
        "b": BOOL,
        "i": INT,
        "j": INT,
        "d": DECIMAL,
        "s": STRING,
        "t": TIMESTAMP,
        "p": DURATION,
        "li": ListOf(INT),
        "ld": ListOf(DECIMAL),
        "ls": ListOf(STRING),
        "m": MapOf(INT),
        "md": MapOf(DYN),
        "x": DYN,
    }
)


@dataclass(slots=True)
class Line:
    sku: str | None
    total: Decimal = Decimal("1.00")
    quantity: int = 1
    labels: tuple[str, ...] = ()


@dataclass(slots=True)
class Store:
    city: str | None = None
    open: bool | None = None


class Event:
    __slots__ = ("at", "channel", "class", "count", "extra", "first", "lines", "store", "total", "wait")

    def __init__(self, **fields: object) -> None:
        for name in self.__slots__:
            setattr(self, name, fields.get(name))


@dataclass(slots=True)
class Member:
    attributes: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)


NOON = dt.datetime(2026, 1, 2, 12, 30, 5, 678901, tzinfo=dt.UTC)
VALUES: dict[str, object] = {
    "event": Event(
        total=Decimal("30.10"),
        count=0,
        lines=[Line("A", Decimal("10.05"), 2, ("hot",)), Line("B", Decimal("20.05"))],
        at=NOON,
        wait=dt.timedelta(minutes=90),
        channel="",
        first=False,
        **{"class": "retail"},
    ),
    "member": Member({"city": "Köln", "age": None, "scores": {"a": 1}, "grid": [[1, 2], [3]]}, ["vip"]),
    "b": True,
    "i": 7,
    "j": -3,
    "d": Decimal("2.50"),
    "s": "Grüße 😀",
    "t": NOON,
    "p": dt.timedelta(hours=36, milliseconds=1500),
    "li": [3, 1, 2],
    "ld": [Decimal("0.1"), Decimal("0.2")],
    "ls": ["a", "b"],
    "m": {"one": 1, "two": 2},
    "md": {"n": 1, "d": Decimal("1.5"), "s": "text", "null": None, "l": [1, Decimal("2.0")], "b": True, "f": 1.5},
    "x": {"deep": {"er": [1, {"k": "v"}]}, "n": 2, "none": None, "day": NOON},
}


def expression(source: str) -> Expression:
    return compile_expression(source, SHOP)


def both(source: str, **changes: object) -> object:
    """The value by the compiled function, after the interpreter has given the same value of the same type."""
    arguments = [(VALUES | changes).get(name) for name in SHOP.variables]
    made = expression(source)
    fast, slow = made.call(*arguments), made.interpret(*arguments)
    assert (type(fast), fast) == (type(slow), slow)
    assert not isinstance(fast, float)
    return fast


def failure(source: str, **changes: object) -> tuple[str, str]:
    """Message and text of the error that both ways to evaluate raise."""
    arguments = [(VALUES | changes).get(name) for name in SHOP.variables]
    made = expression(source)
    with pytest.raises(EvaluationError) as fast:
        made.call(*arguments)
    with pytest.raises(EvaluationError) as slow:
        made.interpret(*arguments)
    assert str(fast.value) == str(slow.value)
    return fast.value.message, fast.value.expression
