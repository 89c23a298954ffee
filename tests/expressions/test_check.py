"""What the author of an expression is told, and where."""

from __future__ import annotations

import contextlib
import pickle
import time

import pytest

from expressions.shop import SHOP, expression
from setia.expressions import (
    BOOL,
    DECIMAL,
    DYN,
    INT,
    LONGEST_EXPRESSION,
    STRING,
    ExpressionError,
    Issue,
    ListOf,
    MapOf,
    Message,
    Schema,
    Type,
    check,
)
from setia.expressions.complaints import issues_of
from setia.expressions.constants import NotAvailable
from setia.expressions.decode import decode


def issues(source: str, expects: Type | None = None, schema: Schema = SHOP) -> list[tuple[int, int, str, str]]:
    with pytest.raises(ExpressionError) as raised:
        check(source, schema, expects)
    assert raised.value.source == source
    return [(issue.line, issue.column, issue.message, issue.hint) for issue in raised.value.issues]


VARIABLES = "available: b, d, event, i, j, ld, li, line, ls, m, md, member, p, s, t, x"
STORE = "available: city, open"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("evnt.total > 1", (1, 1, "there is no variable `evnt` here", f"did you mean event? {VARIABLES}")),
        ("b && evnt.store.city == 'a'", (1, 6, "there is no variable `evnt` here", f"did you mean event? {VARIABLES}")),
        ("i + evnt.store.city", (1, 5, "there is no variable `evnt` here", f"did you mean event? {VARIABLES}")),
        (".evnt", (1, 2, "there is no variable `evnt` here", f"did you mean event? {VARIABLES}")),
        ("i + .evnt.total", (1, 5, "there is no variable `evnt` here", f"did you mean event? {VARIABLES}")),
        ("zzz", (1, 1, "there is no variable `zzz` here", VARIABLES)),
        ("event.store.cty == 'a'", (1, 12, "Store has no field `cty`", f"did you mean city? {STORE}")),
        ("'ü😀' == event.store.cty", (1, 20, "Store has no field `cty`", f"did you mean city? {STORE}")),
        ("b &&\n  // ü 😀\n  event.store.qqqq == 'a'", (3, 14, "Store has no field `qqqq`", STORE)),
        ("has(event.store.cty)", (1, 4, "Store has no field `cty`", f"did you mean city? {STORE}")),
        ("li.all(a)", (1, 4, "all() is used in another way", "write list.all(x, condition)")),
        (
            "s + 1",
            (
                1,
                3,
                "`+` is not defined for string and int",
                "write string(x) to make a text of a number, double(x) to make a number of a text",
            ),
        ),
        ("i == null", (1, 3, "`==` is not defined for int and null", "ask with has(...) whether a field is set")),
        ("d % 2", (1, 3, "`%` is not defined for decimal and int", "% needs whole numbers: write int(x) % 2")),
        (
            "i && b",
            (1, 3, "`&&` is not defined for int and bool", "compare the value with something to get true or false"),
        ),
        ("!i", (1, 1, "`!` is not defined for int", "compare the value with something to get true or false")),
        ("i ? 1 : 2", (1, 3, "the condition before `?` must be bool, not int", "compare it with something")),
        (
            "b ? 'a' : 2",
            (
                1,
                3,
                "both sides of `:` must have one type, not string and int",
                "write values of types that go together; int(x), double(x) and string(x) convert",
            ),
        ),
        ("'a' in s", (1, 5, "`in` is not defined for string and string", "write text.contains(part)")),
        (
            "t > '2026-01-01'",
            (
                1,
                3,
                "`>` is not defined for timestamp and string",
                'write timestamp("2026-01-31T00:00:00Z") for a moment',
            ),
        ),
        ("t + 1", (1, 3, "`+` is not defined for timestamp and int", 'write duration("36h") for a span of time')),
        ("li == ld", (1, 4, "`==` is not defined for list(int) and list(decimal)", "write 2.0 instead of 2")),
        (
            "li + m",
            (
                1,
                4,
                "`+` is not defined for list(int) and map(string, int)",
                "write values of types that go together; int(x), double(x) and string(x) convert",
            ),
        ),
        (
            "event == line",
            (
                1,
                7,
                "`==` is not defined for Event and Line",
                "write values of types that go together; int(x), double(x) and string(x) convert",
            ),
        ),
        ("i.total", (1, 2, "a value of type int has no fields", "leave out the dot and what follows it")),
        (
            "i.all(a, a)",
            (1, 1, "this macro needs a list or a map to go through", "write a list before it, such as event.labels"),
        ),
        ("99999999999999999999", (1, 1, "the whole number does not fit 64 bits", "write it as a decimal: 1.0")),
        ("for", (1, 1, "`for` is a word that CEL keeps for itself", "use another name")),
        ("has(i)", (1, 5, "has() argument must be a field selection", "write has(event.field)")),
        ("i = 1", (1, 3, "`=` is not an operator", "write ==")),
        ("b and b", (1, 3, "`and` is not an operator", "write &&")),
        ("b or b", (1, 3, "`or` is not an operator", "write ||")),
        ("not b", (1, 5, "`not` is not an operator", "write !")),
        ("i <> 1", (1, 4, "`<>` is not an operator", "write !=")),
        ("i + ", (1, 5, "the expression ends too early", "an operand, a quote or a closing bracket is missing")),
        ("(i + 1", (1, 7, "the expression ends too early", "an operand, a quote or a closing bracket is missing")),
        ("s == “a”", (1, 6, "a character that CEL does not know", 'write straight quotes: "text"')),
        ("i i", (1, 3, "`i` is not expected here", "remove it, or join two parts with an operator such as && or ==")),
        ("{'a': 1, 'a': 2}", (1, 1, "a map with the same key twice", "remove one of them")),
        (
            "1u",
            (
                1,
                1,
                "a literal of type uint is not available in Setia expressions",
                "the reference of expressions lists what there is",
            ),
        ),
        (
            "b'a'",
            (
                1,
                1,
                "a literal of type bytes is not available in Setia expressions",
                "the reference of expressions lists what there is",
            ),
        ),
        (
            "i == 1 && type(i) == int",
            (1, 15, "`type` is not available in Setia expressions", "the reference of expressions lists what there is"),
        ),
        (
            "bytes(s)",
            (1, 6, "`bytes` is not available in Setia expressions", "the reference of expressions lists what there is"),
        ),
        (
            "int == dyn(1)",
            (
                1,
                1,
                "`int` as a value is not available in Setia expressions",
                "the reference of expressions lists what there is",
            ),
        ),
        ("google.protobuf.Timestamp == dyn(1)", None),
        (
            "setia.Store{city: 'a'}",
            (
                1,
                1,
                "making a message is not available in Setia expressions",
                "the reference of expressions lists what there is",
            ),
        ),
        (
            "{1: 1, 'a': 1}",
            (
                1,
                1,
                "a map needs keys of one type: all string, all int or all bool",
                'write all keys alike, as in {"a": 1, "b": 2}',
            ),
        ),
        ("{1.0: 1}", None),
        (
            "{x: 1}",
            (
                1,
                1,
                "a map needs keys of one type: all string, all int or all bool",
                'write all keys alike, as in {"a": 1, "b": 2}',
            ),
        ),
        ("1e400", (1, 1, "the number is too large", "write a smaller number")),
        ("-1e400", (1, 1, "the number is too large", "write a smaller number")),
        (
            "t > timestamp('tomorrow')",
            (
                1,
                15,
                "'tomorrow' is not a timestamp like \"2026-01-31T18:00:00Z\"",
                'write timestamp("2026-01-31T18:00:00Z")',
            ),
        ),
        (
            "t > timestamp('2026-02-30T00:00:00Z')",
            (1, 15, "'2026-02-30T00:00:00Z' is not a moment in the calendar", "correct the day or the time"),
        ),
        (
            "p > duration('14d')",
            (1, 14, '\'14d\' is not a duration like "36h" or "1h30m"; a day is "24h"', 'write duration("36h")'),
        ),
        ("p > duration('999999999999999h')", (1, 14, "'999999999999999h' is too long a time", "write a shorter time")),
        (
            "s.matches('((')",
            (
                1,
                11,
                "not a regular expression: missing ): ((",
                'correct the pattern, which is RE2\'s, such as "^A[0-9]+$"',
            ),
        ),
        (
            "t.getHours('Berlin')",
            (1, 12, "there is no time zone 'Berlin'", "write a name of the IANA database, such as Europe/Berlin"),
        ),
        (
            "t.getHours('../etc')",
            (1, 12, "there is no time zone '../etc'", "write a name of the IANA database, such as Europe/Berlin"),
        ),
        ("", (1, 1, "the expression is empty", "write one, or leave the setting out")),
        (" \n", (1, 1, "the expression is empty", "write one, or leave the setting out")),
    ],
)
def test_issue(source: str, found: tuple[int, int, str, str] | None) -> None:
    assert found is None or issues(source)[0] == found
    assert all(hint for _, _, _, hint in issues(source))


def test_all_issues_are_told_in_the_order_of_the_text() -> None:
    found = issues("foo &&\n event.totl > 1 &&\n  bar(1)")

    assert [(line, column, message) for line, column, message, _ in found] == [
        (1, 1, "there is no variable `foo` here"),
        (2, 7, "Event has no field `totl`"),
        (3, 3, "there is no function bar()"),
    ]
    assert found[2][3].startswith("available: abs, all, bool, ceil, charAt, contains,")
    assert found[1][3].startswith("did you mean total? available: at, channel, class, count,")


def test_what_follows_from_an_issue_is_not_an_issue() -> None:
    assert [message for _, _, message, _ in issues("i && foo")] == ["there is no variable `foo` here"]
    assert [message for _, _, message, _ in issues("i.a.b")] == ["a value of type int has no fields"]


def test_the_checkers_own_words_are_kept() -> None:
    with pytest.raises(ExpressionError) as raised:
        check("event.totl", SHOP)

    assert raised.value.issues[0].original == "undefined field 'totl' not found in struct 'setia.Event'"
    assert str(raised.value).startswith("1:6: Event has no field `totl` (did you mean total?")
    assert str(Issue(1, 2, "no")) == "1:2: no"
    copy = pickle.loads(pickle.dumps(raised.value))  # noqa: S301 - our own bytes
    assert copy.issues == raised.value.issues


@pytest.mark.parametrize(
    ("source", "expects", "message", "hint"),
    [
        ("i", BOOL, "true or false is needed here, not a value of type int", "compare it with something"),
        (" li", BOOL, "true or false is needed here, not list(int)", "compare it with something"),
        (
            "b",
            INT,
            "a number is needed here, not a value of type bool",
            "write something that computes a number, such as event.total * 0.1",
        ),
        (
            "s",
            DECIMAL,
            "a number is needed here, not a value of type string",
            "write something that computes a number, such as event.total * 0.1",
        ),
        (
            "m",
            STRING,
            "a text is needed here, not map(string, int)",
            'write string(x), or a text in quotes, such as "gold"',
        ),
        ("event", ListOf(INT), "list(int) is needed here, not Event", "write something that gives list(int)"),
    ],
)
def test_the_result_must_have_the_type_its_place_needs(source: str, expects: Type, message: str, hint: str) -> None:
    assert issues(source, expects) == [(1, 1 + len(source) - len(source.lstrip()), message, hint)]


@pytest.mark.parametrize(
    ("source", "expects"),
    [("i", DECIMAL), ("d", INT), ("i", INT), ("x.n", BOOL), ("x", INT), ("b", BOOL), ("s", DYN), ("li", ListOf(INT))],
)
def test_numbers_and_dyn_fit_where_a_number_is_needed(source: str, expects: Type) -> None:
    assert check(source, SHOP, expects).source == source


def test_type_and_schema_of_a_checked_expression() -> None:
    checked = check("event.lines.map(l, l.total)", SHOP)

    assert checked.type == ListOf(DECIMAL)
    assert checked.schema is SHOP
    assert check("{'a': x.n}", SHOP).type == MapOf(DYN)
    assert check("null", SHOP).type not in {BOOL, DYN}


def test_long_expressions_are_refused() -> None:
    longest = "b" + " " * (LONGEST_EXPRESSION - 1)

    assert check(longest, SHOP).type == BOOL
    assert issues(longest + " ") == [
        (1, 1, "the expression has 10001 characters, and may have 10000", "write it shorter, or use several campaigns")
    ]
    assert issues("'" + "a" * 100_000 + "'")[0][2] == "the expression has 100002 characters, and may have 10000"


DEEP = "the expression is nested too deeply: the checker follows 32 levels"


@pytest.mark.parametrize(
    "source",
    [
        "(" * 4_999 + "1" + ")" * 4_999,
        "[" * 5_000 + "]" * 5_000,
        "i" + "+1" * 4_000,
        "x" + ".a" * 4_000,
        "x" + "[0]" * 3_000,
        "b?1:" * 2_000 + "1",
        "[1].map(a," * 40 + "1" + ")" * 40,
    ],
)
def test_deep_expressions_are_refused_at_once(source: str) -> None:
    started = time.perf_counter()

    assert issues(source)[0][:3] == (1, 1, DEEP)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "source",
    [
        "(" * 9_000,
        "((((",
        "!" * 9_000 + "b",
        "-" * 9_000 + "i",
        "&&" * 4_000,
        "'" * 9_999,
        "\\" * 100,
        "\x00",
        "\ud800",
        "//",
    ],
)
def test_odd_input_is_an_issue_or_an_expression(source: str) -> None:
    with contextlib.suppress(ExpressionError):
        assert check(source, SHOP).source == source


def test_the_widest_expressions_that_are_accepted_work() -> None:
    assert expression("&&".join(["b"] * 3_000)).evaluate({"b": True}) is True
    assert expression("i" + "+1" * 30).evaluate({"i": 1}) == 31
    assert expression("i in [" + ",".join(map(str, range(2_000))) + "]").evaluate({"i": 1_999}) is True
    nested = "[1].exists(a" + ",[1].exists(a" * 6 + ", a == 1" + ")" * 7
    assert expression(nested).evaluate({}) is True


def test_a_complaint_of_a_new_shape_is_told_as_it_is() -> None:
    assert issues_of("INTERNAL: something new [INTERNAL]", "b", SHOP) == [
        Issue(1, 1, "something new", "the reference of expressions lists what there is", "something new")
    ]


def test_a_finding_has_a_position() -> None:
    finding = NotAvailable(3, "no")

    assert (finding.position, finding.message, str(finding)) == (3, "no", "no")
    with pytest.raises(NotAvailable, match="this is not available"):
        decode(b"", "b", SHOP)


def test_a_schema_without_variables_has_nothing_to_offer() -> None:
    assert issues("a", schema=Schema({})) == [(1, 1, "there is no variable `a` here", "available: nothing")]
    empty = Schema({"e": Message("Empty", {})})
    assert issues("e.a", schema=empty) == [(1, 2, "Empty has no field `a`", "available: nothing")]
