from __future__ import annotations

import pickle

import pytest

from expressions.shop import SHOP
from setia.expressions import (
    BOOL,
    DECIMAL,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    ListOf,
    MapOf,
    Message,
    Scalar,
    Schema,
    Type,
    check,
    wire,
)


def test_schemas_are_equal_by_content_and_order() -> None:
    a: dict[str, Type] = {"a": INT}
    b: dict[str, Type] = {"b": ListOf(Message("M", {"x": MapOf(STRING), "y": INT}))}
    again: dict[str, Type] = {"b": ListOf(Message("M", {"y": INT, "x": MapOf(STRING)}))}

    assert Schema(a | b) == Schema(a | again)
    assert hash(Schema(a | b)) == hash(Schema(a | again))
    assert Schema(a | b) != Schema(b | a)
    assert Schema(a) != Schema({"a": DECIMAL})
    assert Schema(a) != a
    assert pickle.loads(pickle.dumps(SHOP)) == SHOP  # noqa: S301 - our own bytes
    assert repr(Schema(a | b)) == "Schema(a: int, b: list(M))"


@pytest.mark.parametrize("name", ["", "1a", "a-b", "in", "true", "__class__", "a\n"])
def test_names_that_cannot_be_written_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a variable"):
        Schema({name: INT})


@pytest.mark.parametrize("name", ["", "1a", "a.b", "__dict__"])
def test_fields_that_cannot_be_written_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a name in an expression"):
        Message("M", {name: INT})


def test_messages_of_one_name_are_one() -> None:
    with pytest.raises(ValueError, match="two different messages are called 'M'"):
        Schema({"a": Message("M", {"x": INT}), "b": Message("M", {"x": STRING})})


def test_types_that_no_variable_has_are_refused() -> None:
    with pytest.raises(ValueError, match="uint cannot be the type of a variable"):
        Schema({"a": Scalar("uint")})
    with pytest.raises(ValueError, match="the keys of a map in a schema are strings"):
        Schema({"a": MapOf(INT, INT)})


SCALARS = (BOOL, INT, DECIMAL, STRING, TIMESTAMP, DURATION, DYN)


@pytest.mark.parametrize("scalar", SCALARS)
def test_each_type_reaches_the_checker_and_comes_back(scalar: Scalar) -> None:
    inner = Message("Inner", {"v": scalar, "many": ListOf(scalar), "by_name": MapOf(scalar)})
    outer = Message("Outer", {"one": inner, "some": ListOf(inner), "named": MapOf(inner)})
    schema = Schema({"v": scalar, "l": ListOf(scalar), "m": MapOf(scalar), "o": outer, "lo": ListOf(outer)})

    for source in ("v", "l[0]", "m.a", "o.one.v", "o.some[0].many[0]", "o.named.a.by_name['b']", "lo[0].one.v"):
        assert check(source, schema).type == scalar, source
    assert check("o.some", schema).type == ListOf(inner)
    assert check("o.named", schema).type == MapOf(inner)


def test_lists_of_lists_in_fields_are_lists_of_dyn() -> None:
    schema = Schema(
        {"o": Message("O", {"grid": ListOf(ListOf(INT)), "maps": MapOf(ListOf(INT))}), "g": ListOf(ListOf(INT))}
    )

    assert check("o.grid", schema).type == ListOf(DYN)
    assert check("o.maps", schema).type == MapOf(DYN)
    assert check("g[0]", schema).type == ListOf(INT)


def test_the_wire_format() -> None:
    message = b"\x08\x96\x01" + b"\x12\x02hi" + b"\x19" + b"\x01" * 8

    assert list(wire.fields(message)) == [(1, 150), (2, b"hi"), (3, b"\x01" * 8)]
    assert wire.last(message)[1] == 150
    assert wire.repeated(message, 2) == [b"hi"]
    assert wire.signed(2**64 - 1) == -1
    assert wire.signed(5) == 5
    with pytest.raises(ValueError, match="wire type 5 is not part"):
        list(wire.fields(b"\x0d1234"))
