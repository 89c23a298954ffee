"""Compiled expressions as the engine uses them: calling, explaining, references, caching."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal

import pytest

from expressions.shop import SHOP, VALUES, Event, Line, Member, expression
from setia.expressions import (
    BOOL,
    DECIMAL,
    DYN,
    ClauseFailure,
    EvaluationError,
    Expression,
    Schema,
    compile_expression,
)
from setia.expressions.explain import reader
from setia.expressions.syntax import Literal


def explained(source: str, **changes: object) -> ClauseFailure | None:
    return expression(source).explain(*((VALUES | changes).get(name) for name in SHOP.variables))


def test_call_takes_the_variables_in_order_and_may_stop_early() -> None:
    schema = Schema({"a": DECIMAL, "b": DECIMAL})

    assert compile_expression("a - b", schema).call(Decimal(3), Decimal(1)) == Decimal(2)
    assert compile_expression("a * 2", schema).call(Decimal(3)) == Decimal(6)
    with pytest.raises(EvaluationError, match="b is not set, in: b"):
        compile_expression("a - b", schema).call(Decimal(3))
    absent = Schema({"a": DECIMAL, "b": DYN})
    assert compile_expression("b == null", absent).explain(Decimal(3)) is None
    assert compile_expression("b != null", absent).explain(Decimal(3)) == ClauseFailure("b != null", {"b": None})


def test_evaluate_takes_them_by_name() -> None:
    assert expression("d * 2").evaluate(VALUES) == Decimal("5.00")
    assert expression("1 + 1").evaluate({}) == 2


def test_the_same_text_is_compiled_once() -> None:
    first = compile_expression("b && i > 1", SHOP, BOOL)

    assert compile_expression("b && i > 1", SHOP, BOOL) is first
    assert compile_expression("b && i > 1", Schema(SHOP.variables), BOOL) is first
    assert first.result_type == BOOL
    assert repr(first) == "Expression('b && i > 1')"


def test_an_expression_is_pickled_as_its_text() -> None:
    made = Expression("event.total > 1", SHOP, BOOL)

    loaded = pickle.loads(pickle.dumps(made))  # noqa: S301 - our own bytes
    assert (loaded.source, loaded.schema, loaded.expects) == (made.source, made.schema, BOOL)
    assert loaded.evaluate(VALUES) is True


def test_arguments_are_not_changed() -> None:
    before = copy.deepcopy(VALUES["li"])
    expression("(li + [1]).map(a, a + 1).filter(a, a in li)").evaluate(VALUES)

    assert VALUES["li"] == before


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ("1 + 1", set()),
        ("event.total > 1 && member.attributes.city == 'a'", {"event.total", "member.attributes.city"}),
        ("event.lines.exists(l, l.sku == 'A')", {"event.lines", "event.lines.sku"}),
        (
            "event.lines.all(l, l.labels.exists(k, k == s))",
            {"event.lines", "event.lines.sku", "event.lines.labels", "s"} - {"event.lines.sku"},
        ),
        ("event.lines[i].sku == 'A'", {"event.lines", "i"}),
        ("m['one'] + m[s]", {"m.one", "m", "s"}),
        ("has(event.store.city)", {"event.store.city"}),
        ("line == null", {"line"}),
        ("[i, j].all(a, a > 1)", {"i", "j"}),
        ("event.lines.filter(l, true).map(k, k.sku)", {"event.lines"}),
        ("li.exists(li, li > i)", {"li", "i"}),
        ("x.deep.er[0]", {"x.deep.er"}),
    ],
)
def test_references(source: str, paths: set[str]) -> None:
    assert expression(source).references == paths


def test_a_condition_that_holds_needs_no_explanation() -> None:
    assert explained("b && i == 7") is None


@pytest.mark.parametrize(
    ("source", "clause", "values", "error"),
    [
        ("b && event.total >= 50 && i == 8", "event.total >= 50", {"event.total": Decimal("30.10")}, None),
        ("b && (i == 8 || j == 8) && !b", "i == 8 || j == 8", {"i": 7, "j": -3}, None),
        ("(b && (i == 7 && i == 8))", "i == 8", {"i": 7}, None),
        ("i == 8", "i == 8", {"i": 7}, None),
        ("b && null != line", "null != line", {"line": None}, None),
        ("line != null && b", "line != null", {"line": None}, None),
        ("i == 7 ? !b : b", "i == 7 ? !b : b", {"i": 7, "b": True}, None),
        (
            "b && member.attributes.city == 'Bonn'",
            "member.attributes.city == 'Bonn'",
            {"member.attributes.city": "Köln"},
            None,
        ),
        (
            "has(member.attributes.age) && i == 8",
            "has(member.attributes.age)",
            {"member.attributes.age": None},
            None,
        ),
        (
            "b && event.store.city == 'a' && i == 8",
            "event.store.city == 'a'",
            {"event.store.city": None},
            "event.store is not set",
        ),
        ("i / 0 == 1 && !b", "i / 0 == 1", {"i": 7}, "division by zero"),
        ("li.exists(a, a > i)", "li.exists(a, a > i)", {"li": [3, 1, 2], "i": 7}, None),
        ("m['one'] == 2", "m['one'] == 2", {"m.one": 1}, None),
        (
            "m.two == m[s]",
            "m.two == m[s]",
            {"m.two": 2, "m": {"one": 1, "two": 2}, "s": "two!"},
            "the map has no key 'two!'",
        ),
        ("x.n", "x.n", {"x.n": 2}, "true or false is needed"),
        ("md.n == 2 && b", "md.n == 2", {"md.n": 1}, None),
        ("x.n.y", "x.n.y", {"x.n.y": None}, "a value of type int has no field 'y'"),
    ],
)
def test_the_first_clause_that_fails_is_explained(
    source: str, clause: str, values: dict[str, object], error: str | None
) -> None:
    changes = {"s": "two!"} if "m[s]" in source else {}

    assert explained(source, **changes) == ClauseFailure(clause, values, error)


def test_clauses_keep_the_text_of_their_brackets() -> None:
    source = "b && // ü 😀\n  ( (i + 1) * 2 == 4 ) && size([1, (2)]) == 3"

    failure = explained(source)
    assert failure is not None
    assert failure.clause == "(i + 1) * 2 == 4"
    failure = explained(source.replace("4", "16"))
    assert failure is not None
    assert failure.clause == "size([1, (2)]) == 3"


def test_only_conditions_are_explained() -> None:
    with pytest.raises(ValueError, match="only a condition can be explained, not 'i'"):
        explained("i")
    with pytest.raises(TypeError, match="Literal is no part of a path"):
        reader(Literal(0, BOOL, True), ())


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("li[(i + 1) * 2] == 1", "li[(i + 1) * 2]"),
        ("-1.5 + (1.5 / (d - d)) > 1", "1.5 / (d - d)"),
        ("ls.map(a, int(a) + 1)[0]", "int(a)"),
        ("[1, 2, {'a': 1 / (i - 7)}.a][0] == dyn(1)", "1 / (i - 7)"),
        ('r\'\\d\' + s.substring(9 , 8) + """a\'b"""', "s.substring(9 , 8)"),
        ("event\n  .store /* */".replace("/* */", "// )\n") + ".city", "event\n  .store"),
    ],
)
def test_an_error_names_the_part_of_the_text(source: str, part: str) -> None:
    with pytest.raises(EvaluationError) as raised:
        expression(source).evaluate(VALUES)

    assert raised.value.expression == part


def test_steps_of_macros_are_counted_over_the_whole_evaluation() -> None:
    values = {"li": list(range(1_500))}
    # Elements are paid for when a loop begins, even if it soon ends.
    nested = "li.all(a, li.exists(c, a + c >= 0))"

    assert expression(nested).evaluate({"li": list(range(900))}) is True
    for evaluate in (expression(nested).call, expression(nested).interpret):
        with pytest.raises(EvaluationError, match="more than 1000000 steps") as raised:
            evaluate(*map(values.get, SHOP.variables))
        assert raised.value.expression == nested
    many = f"li.filter(a, {'+'.join(['a'] * 20)} > 0 || {'+'.join(['a'] * 20)} > 0).size() >= 0"
    with pytest.raises(EvaluationError, match="more than 1000000 steps"):
        expression(many).evaluate({"li": list(range(250_000))})
    assert expression("li.filter(a, a > 0).size()").evaluate({"li": list(range(250_000))}) == 249_999


def test_too_many_steps_are_not_absorbed() -> None:
    values = {"li": list(range(1_500)), "b": True}
    for source in (
        "li.exists(a, li.exists(c, c >= 0) && false) || b",
        "i / 0 == 1 || li.all(a, li.exists(c, c >= 0)) || b",
    ):
        with pytest.raises(EvaluationError, match="more than 1000000 steps"):
            expression(source).evaluate(values | {"i": 1})


def test_a_regular_expression_takes_linear_time() -> None:
    assert expression("s.matches('^(a+)+$')").evaluate({"s": "a" * 100_000 + "b"}) is False
    with pytest.raises(EvaluationError, match="not a regular expression"):
        expression("s.matches(s)").evaluate({"s": "((a{1000}){1000}){1000}"})


def test_objects_and_dicts_are_read_by_schema_only() -> None:
    assert expression("event.lines.map(l, l.sku)").evaluate({"event": Event(lines=[Line("A")])}) == ["A"]
    assert expression("member.attributes.fooBar").evaluate({"member": Member({"fooBar": "x"})}) == "x"
    assert (
        expression("member.attributes.nested_maps.a.b + 1").evaluate(
            {"member": Member({"nested_maps": {"a": {"b": 1}}})}
        )
        == 2
    )
