"""Random well-typed expressions: our compiled function, our interpreter and the official evaluator agree.

The official evaluator knows no decimals, so numbers are multiples of 1/8 of small size and meet in + - * and
comparisons only: there its doubles are exact. Maps have one entry at most, because it goes through them in any order.
What we allow beyond the standard (mixed numbers, our functions) is left out.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_strings
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from setia.expressions import (
    BOOL,
    DECIMAL,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    EvaluationError,
    ListOf,
    MapOf,
    Schema,
    compile_expression,
)

_T = cel.Type
SCHEMA = Schema(
    {
        "b": BOOL,
        "i": INT,
        "d": DECIMAL,
        "s": STRING,
        "t": TIMESTAMP,
        "p": DURATION,
        "li": ListOf(INT),
        "ld": ListOf(DECIMAL),
        "ls": ListOf(STRING),
        "m": MapOf(INT),
        "x": DYN,
    }
)
OFFICIAL = cel.NewEnv(
    variables={
        "b": _T.BOOL,
        "i": _T.INT,
        "d": _T.DOUBLE,
        "s": _T.STRING,
        "t": _T.TIMESTAMP,
        "p": _T.DURATION,
        "li": _T.List(_T.INT),
        "ld": _T.List(_T.DOUBLE),
        "ls": _T.List(_T.STRING),
        "m": _T.Map(_T.STRING, _T.INT),
        "x": _T.DYN,
    },
    extensions=[ext_strings.ExtStrings()],
)

Text = st.SearchStrategy[str]


def _join(template: str, *parts: Text) -> Text:
    return st.tuples(*parts).map(lambda found: template.format(*found))


def _later(made: dict[str, Text], name: str) -> Text:
    def strategy() -> Text:
        return made[name]

    return st.deferred(strategy)


def _grammar() -> dict[str, Text]:
    """One strategy for each type; `a` is an element of a list of ints, `c` of a list of strings, inside macros."""
    made: dict[str, Text] = {}
    integer, decimal, text, boolean = (_later(made, name) for name in "idsb")
    ints, texts, moment, span = (_later(made, name) for name in ("li", "ls", "t", "p"))
    either = st.one_of
    made["i"] = either(
        st.sampled_from(
            ["i", "x.n", "int(d)", "m.one", "m.none", "m['two']", "9223372036854775807", "size(li)", "li[5]"]
        ),
        st.integers(-3, 12).map(lambda value: f"({value})"),
        _join("({} {} {})", integer, st.sampled_from(["+", "-", "*", "/", "%"]), integer),
        _join("({} ? {} : {})", boolean, integer, integer),
        _join("-({})", integer),
        _join("{}[{}]", ints, integer),
        _join("{}.size()", either(ints, texts, text)),
        _join("int(string({}))", integer),
        _join("{}.{}", moment, st.sampled_from(["getHours()", "getMonth()", "getDayOfWeek('Europe/Berlin')"])),
        _join("{}.{}", span, st.sampled_from(["getHours()", "getSeconds()", "getMilliseconds()"])),
        _join("{}.indexOf({})", text, text),
    )
    made["d"] = either(
        st.sampled_from(["d", "ld[0]", "double(i)"]),
        st.integers(-40, 40).map(lambda value: f"({value / 8})"),
        _join("({} {} {})", st.sampled_from(["d", "0.125", "(-2.5)"]), st.sampled_from("+-*"), decimal),
        _join("({} ? {} : {})", boolean, decimal, decimal),
        _join("ld[{}]", integer),
    )
    made["s"] = either(
        st.sampled_from(["s", "'a'", "'ü😀'", "''", "x.s", "ls[0]", "x.nowhere.s", "x.list[1]"]),
        _join("({} + {})", text, text),
        _join("string({})", either(integer, boolean, text)),
        _join("{}.{}", text, st.sampled_from(["lowerAscii()", "upperAscii()", "trim()", "charAt(1)", "substring(1)"])),
        _join("{}[{}]", texts, integer),
        _join("{}.join('-')", texts),
        _join("{}.replace({}, 'z')", text, text),
    )
    order = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    made["b"] = either(
        st.sampled_from(["b", "true", "false", "has(m.one)", "has(m.none)", "x.b", "has(x.n)", "x.n", "'one' in m"]),
        _join("({} {} {})", integer, order, integer),
        _join("({} {} {})", decimal, order, decimal),
        _join("({} {} {})", text, order, text),
        _join("({} {} {})", boolean, st.sampled_from(["&&", "||", "==", "!="]), boolean),
        _join("({} {} {})", moment, order, moment),
        _join("({} {} {})", span, order, span),
        _join("!({})", boolean),
        _join("({} in {})", integer, ints),
        _join("({} in {})", text, texts),
        _join("({} == {})", ints, ints),
        _join("({} ? {} : {})", boolean, boolean, boolean),
        _join("{}.{}(a, {})", ints, st.sampled_from(["all", "exists", "exists_one"]), _inside("a", integer, order)),
        _join("{}.{}(c, {})", texts, st.sampled_from(["all", "exists", "exists_one"]), _join("(c == {})", text)),
        _join("{}.{}({})", text, st.sampled_from(["contains", "startsWith", "endsWith"]), text),
        _join("{}.matches('{}')", text, st.sampled_from(["^a", "a|ü", ".*", "[0-9]+$"])),
        _join("(dyn({}) == dyn({}))", either(integer, boolean, text, decimal), either(integer, boolean, text, decimal)),
    )
    made["li"] = either(
        st.sampled_from(["li", "[]", "m.map(k, m[k])"]),
        st.lists(integer, min_size=1, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        _join("({} + {})", ints, ints),
        _join("{}.filter(a, {})", ints, _inside("a", integer, order)),
        _join("{}.map(a, (a {} {}))", ints, st.sampled_from(["+", "*", "/"]), integer),
        _join("{}.map(a, {}, a)", ints, boolean),
    )
    made["ls"] = either(
        st.sampled_from(["ls", "['a', 'b']"]), _join("{}.split({})", text, text), _join("[{}, {}]", text, text)
    )
    made["t"] = either(
        st.sampled_from(["t", "timestamp('2026-03-29T00:59:59.5Z')", "timestamp(s)"]),
        _join("({} {} {})", moment, st.sampled_from("+-"), span),
    )
    made["p"] = either(
        st.sampled_from(["p", "duration('90m')", "duration('-0.25s')"]),
        _join("({} - {})", moment, moment),
        _join("({} {} {})", span, st.sampled_from("+-"), span),
    )
    return made


def _inside(name: str, integer: Text, order: Text) -> Text:
    return st.one_of(
        _join(f"({name} {{}} {{}})", order, integer),
        _join(f"(1 / ({name} - 1) {{}} {{}})", order, integer),
        _join(f"li.exists(a, a {{}} {name} + {{}})", order, integer),
    )


GRAMMAR = _grammar()
# Deferred, because a strategy that retries or fails is printed, and the whole grammar is too much to print.
EXPRESSIONS = st.deferred(lambda: st.one_of(GRAMMAR["b"], *GRAMMAR.values()))
INPUTS = st.fixed_dictionaries(
    {
        "b": st.booleans(),
        "i": st.integers(-3, 5),
        "d": st.integers(-40, 40).map(lambda value: Decimal(value) / 8),
        "s": st.sampled_from(["", "a", "A b ", "ü", "12"]),
        "t": st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2030, 1, 1), timezones=st.just(dt.UTC)),  # noqa: DTZ001 - the strategy wants bounds without a zone
        "p": st.timedeltas(dt.timedelta(days=-2), dt.timedelta(days=2)),
        "li": st.lists(st.integers(-2, 4), max_size=4),
        "ld": st.lists(st.integers(-8, 8).map(lambda value: Decimal(value) / 8), max_size=2),
        "ls": st.lists(st.sampled_from(["a", "b", "ü😀"]), max_size=3),
        "m": st.sampled_from([{}, {"one": 1}, {"two": 2}]),
        "x": st.fixed_dictionaries(
            {"n": st.integers(-2, 3), "s": st.just("a"), "b": st.booleans(), "list": st.just([1, "q"])}
        ),
    }
)
FAILED = object()


def _official(source: str, values: dict[str, Any]) -> object:
    converted = {
        **values,
        "d": float(values["d"]),
        "ld": [float(value) for value in values["ld"]],
    }
    try:
        found = OFFICIAL.compile(source).eval(data=converted)
        # The wrapper reports some errors as exceptions and others as values of type ERROR.
        return FAILED if found.type() == _T.ERROR else found.plain_value()
    except RuntimeError:
        return FAILED


def _ours(evaluate: Any, arguments: list[object]) -> object:
    try:
        return evaluate(*arguments)
    except EvaluationError:
        return FAILED


def _same(ours: object, official: object) -> bool:
    if ours is FAILED or official is FAILED:
        return ours is official
    if isinstance(official, float):
        return isinstance(ours, Decimal) and ours == Decimal(official)
    if isinstance(official, list):
        return isinstance(ours, list) and len(ours) == len(official) and all(map(_same, ours, official))
    return type(ours) is type(official) and ours == official


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(EXPRESSIONS, INPUTS)
@example(
    "(1 / (i - 1) == 2 || b) && [1, i].all(a, 1 / (a - 1) > 5 || a == 0)",
    {"b": True, "i": 1, "d": Decimal(0), "s": "", "t": dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "p": dt.timedelta(0)}
    | {"li": [], "ld": [], "ls": [], "m": {}, "x": {"n": 1, "s": "a", "b": True, "list": []}},
)
def test_three_evaluators_agree(source: str, values: dict[str, Any]) -> None:
    assume(len(source) < 1_000)
    try:
        OFFICIAL.compile(source)
    except RuntimeError as refused:
        # Deeper than 32 levels; or an integer literal where negation overflowed.
        assert "recursion" in str(refused)  # noqa: PT017 - the other branch is the test
        return
    expression = compile_expression.__wrapped__(source, SCHEMA)
    arguments = [values[name] for name in SCHEMA.variables]

    official = _official(source, values)
    fast, slow = _ours(expression.call, arguments), _ours(expression.interpret, arguments)

    assert _same(fast, official), (source, fast, official)
    assert _same(slow, official), (source, slow, official)
