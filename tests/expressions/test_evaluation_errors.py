"""Evaluations that have no value: the message, and the part of the text that it names."""

from __future__ import annotations

import datetime as dt

import pytest

from expressions.shop import both, failure

OVERFLOW = "the result does not fit a whole number of 64 bits"
ERRORS: list[tuple[str, str | None, str | None]] = [
    # numbers
    ("1 / 0", "division by zero", "1 / 0"),
    ("i + 1 / (i - 7)", "division by zero", "1 / (i - 7)"),
    ("i % 0", "division by zero", "i % 0"),
    ("d / 0", "division by zero", "d / 0"),
    ("0.0 / 0.0", "division by zero", "0.0 / 0.0"),
    ("9223372036854775807 + 1", OVERFLOW, "9223372036854775807 + 1"),
    ("-9223372036854775807 - 2", OVERFLOW, "-9223372036854775807 - 2"),
    ("9223372036854775807 * i", OVERFLOW, "9223372036854775807 * i"),
    ("(-9223372036854775807 - 1) / -1", OVERFLOW, "(-9223372036854775807 - 1) / -1"),
    ("-(-9223372036854775807 - 1)", OVERFLOW, "-(-9223372036854775807 - 1)"),
    ("abs(-9223372036854775807 - 1)", OVERFLOW, "abs(-9223372036854775807 - 1)"),
    ("int(1e19)", OVERFLOW, "int(1e19)"),
    ("floor(1e300)", OVERFLOW, "floor(1e300)"),
    ("int('9223372036854775808')", OVERFLOW, "int('9223372036854775808')"),
    ("1e300 * 1e300", "the number is too large", "1e300 * 1e300"),
    ("int(s)", "'Grüße 😀' is not a whole number", "int(s)"),
    ("double('1_0')", "'1_0' is not a number", "double('1_0')"),
    ("double('inf')", "'inf' is not a number", "double('inf')"),
    ("sum([1, x.day])", "a decimal number is needed, not datetime", "sum([1, x.day])"),
    ("sum([1, dyn(true)])", "a decimal number is needed, not bool", "sum([1, dyn(true)])"),
    # text
    ("bool(s)", "'Grüße 😀' is neither true nor false", "bool(s)"),
    ("'abc'.substring(2, 1)", "substring from 2 to 1 of a text of 3", "'abc'.substring(2, 1)"),
    ("'abc'.substring(4)", "substring from 4 to 3 of a text of 3", "'abc'.substring(4)"),
    ("'abc'.charAt(4)", "position 4 of a text of 3", "'abc'.charAt(4)"),
    ("'abc'.indexOf('c', -1)", "position -1 of a text of 3", "'abc'.indexOf('c', -1)"),
    ("s.matches('(' + '(')", "not a regular expression: missing ): ((", "s.matches('(' + '(')"),
    ("[1, x.n].join()", "the value is of another type than the program says", "[1, x.n].join()"),
    # lists and maps
    ("li[3]", "position 3 of a list of 3", "li[3]"),
    ("li[-1]", "position -1 of a list of 3", "li[-1]"),
    ("li[dyn(1.5)]", "the position in a list is an int, not decimal", "li[dyn(1.5)]"),
    ("li[dyn('a')]", "the position in a list is an int, not string", "li[dyn('a')]"),
    ("m['three']", "the map has no key 'three'", "m['three']"),
    ("m.three", "m.three is not set", "m.three"),
    ("m[s]", "the map has no key 'Grüße 😀'", "m[s]"),
    ("{'a': 1}.b", "the value is not set", "{'a': 1}.b"),
    ("{s: 1, 'Grüße 😀': 2}", "a map with the same key twice", "{s: 1, 'Grüße 😀': 2}"),
    # time
    ("timestamp('x' + s)", "'xGrüße 😀' is not a timestamp like \"2026-01-31T18:00:00Z\"", "timestamp('x' + s)"),
    ("timestamp(9223372036854775807)", "the moment is outside the years 1 to 9999", "timestamp(9223372036854775807)"),
    ("t + duration('87600000h')", "the moment is outside the years 1 to 9999", "t + duration('87600000h')"),
    ("duration('20000000000h') + duration('10000000000h')", "too long a time", None),
    ("duration(s)", '\'Grüße 😀\' is not a duration like "36h" or "1h30m"; a day is "24h"', "duration(s)"),
    ("duration(ls[0] + '9999999999999h')", None, None),
    ("t.getHours(s)", "there is no time zone 'Grüße 😀'", "t.getHours(s)"),
    ("t.getHours(ls[0] == 'a' ? '+99:00' : '')", "there is no time zone '+99:00'", None),
    # dyn
    ("x.n + 'a'", "`+` is not defined for int and string", "x.n + 'a'"),
    ("x.n && b", "true or false is needed, not int", "x.n"),
    ("!x.n", "true or false is needed, not int", "x.n"),
    ("x.n ? 1 : 2", "true or false is needed, not int", "x.n"),
    ("x.n.y", "a value of type int has no field 'y'", "x.n.y"),
    ("x.nowhere", "x.nowhere is not set", "x.nowhere"),
    ("x.nowhere.y", "x.nowhere is not set", "x.nowhere"),
    ("x.n.exists(a, a)", "a list or map is needed, not int", "x.n"),
    ("1 in x.n", "`in` needs a list or a map, not int", "1 in x.n"),
    ("has(x.n.y)", "a map is needed, not int", "has(x.n.y)"),
    ("md.f", "a decimal number is needed, not float", "md.f"),
    ("md.f + 1", "a decimal number is needed, not float", "md.f + 1"),
    ("dyn(event).total", "a value of type message has no field 'total'", "dyn(event).total"),
    ("dyn(1) < dyn('a')", "`<` is not defined for int and string", "dyn(1) < dyn('a')"),
    ("x['n']['y']", "`[]` is not defined for int and string", "x['n']['y']"),
    # not set
    ("event.extra", "event.extra is not set", "event.extra"),
    ("event.store.city", "event.store is not set", "event.store"),
    ("event.store.city == 'a'", "event.store is not set", "event.store"),
    ("line.sku == 'a'", "line is not set", "line"),
    ("has(line.sku) || line.quantity > 1", "line is not set", "line"),
    ("member.attributes.age > 1", "member.attributes.age is not set", "member.attributes.age"),
    ("member.attributes.age != 1", "member.attributes.age is not set", "member.attributes.age"),
    ("member.attributes.foo_bar", "member.attributes.foo_bar is not set", "member.attributes.foo_bar"),
    ("member.attributes.age in [1]", "member.attributes.age is not set", "member.attributes.age"),
    ("[member.attributes.age]", "member.attributes.age is not set", "member.attributes.age"),
    # macros do not absorb everything
    ("[1, 0].map(a, 1 / a)", "division by zero", "1 / a"),
    ("[0].exists_one(a, 1 / a > 0)", "division by zero", "1 / a"),
    ("[0, 1].exists(a, 1 / a == 2)", "division by zero", "1 / a"),
]


@pytest.mark.parametrize(("source", "message", "part"), ERRORS)
def test_error(source: str, message: str | None, part: str | None) -> None:
    found = failure(source)

    assert found == (message or found[0], part or found[1])


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 / 0 == 1 || true", True),
        ("true || 1 / 0 == 1", True),
        ("1 / 0 == 1 && false", False),
        ("false && 1 / 0 == 1", False),
        ("[0, 1].all(a, 1 / a > 5)", False),
        ("[0, 1].exists(a, 1 / a == 1)", True),
        ("member.attributes.age == 1 || b", True),
        ("x.n && false", False),
        ("b ? 1 : 1 / 0", 1),
        ("!(1 / 0 == 1 && !b)", True),
    ],
)
def test_errors_that_do_not_matter_are_absorbed(source: str, value: object) -> None:
    assert both(source) is value or both(source) == value


@pytest.mark.parametrize(
    ("source", "changes", "message"),
    [
        ("d > 1", {"d": None}, "d is not set"),
        ("d == 1", {"d": None}, "d is not set"),
        ("b && b", {"b": None}, "b is not set"),
        ("b", {"b": None}, "b is not set"),
        ("!b", {"b": None}, "b is not set"),
        ("li.all(a, a > 1)", {"li": None}, "li is not set"),
        ("m['one']", {"m": {"one": None}}, "m.one is not set"),
        ("m[s]", {"m": {"a": None}, "s": "a"}, "the value is not set"),
        ("m.one", {"m": {"one": None}}, "m.one is not set"),
        ("d", {"d": 1.5}, "a decimal number is needed, not float"),
        ("d + 1", {"d": 1.5}, "the value is of another type than the program says"),
        ("t.getHours()", {"t": dt.datetime(2026, 1, 1)}, "the timestamp has no time zone"),  # noqa: DTZ001 - the point
        (
            "t.getHours('-23:00')",
            {"t": dt.datetime.min.replace(tzinfo=dt.UTC)},
            "the moment is outside the years 1 to 9999",
        ),
        ("x", {"x": None}, "x is not set"),
        ("string(b)", {"b": None}, "b is not set"),
        ("1 in li", {"li": None}, "li is not set"),
        ("size(s) > 1", {"s": None}, "s is not set"),
        ("member.attributes.city == 'a'", {"member": None}, "member is not set"),
    ],
)
def test_inputs_that_do_not_fit_are_errors(source: str, changes: dict[str, object], message: str) -> None:
    assert failure(source, **changes)[0] == message
