"""How a function that exists is to be called, told to those who call it in another way."""

from __future__ import annotations

import pytest

from expressions.shop import SHOP
from setia.expressions import ExpressionError, check


def issues(source: str) -> list[tuple[int, int, str, str]]:
    with pytest.raises(ExpressionError) as raised:
        check(source, SHOP)
    return [(issue.line, issue.column, issue.message, issue.hint) for issue in raised.value.issues]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("size(ls, 2)", (1, 1, "size() takes 1 value in its brackets, not 2", "write size(a)")),
        ("size()", (1, 1, "size() takes 1 value in its brackets, not 0", "write size(a)")),
        ("ls.size(2)", (1, 4, "size() takes no values in its brackets, not 1", "write x.size()")),
        (
            "s == 'a' && size(s, [1, {'a': (2)}], ')')",
            (1, 13, "size() takes 1 value in its brackets, not 3", "write size(a)"),
        ),
        ("max(1)", (1, 1, "max() takes 2 values in its brackets, not 1", "write max(a, b)")),
        ("s.contains()", (1, 3, "contains() takes 1 value in its brackets, not 0", "write x.contains(a)")),
        (
            "t.getHours(1, 2)",
            (1, 3, "getHours() takes 0 or 1 value in its brackets, not 2", "write x.getHours() or x.getHours(a)"),
        ),
        ("s.matches()", (1, 3, "matches() takes 1 value in its brackets, not 0", "write x.matches(a)")),
        (
            "s.split(1, 2, 3)",
            (1, 3, "split() takes 1 or 2 values in its brackets, not 3", "write x.split(a) or x.split(a, b)"),
        ),
        ("contains(s, 'a')", (1, 1, "contains() is a method", "write x.contains(a)")),
        ("i.floor()", (1, 3, "floor() is no method", "write floor(a)")),
        ("sum(1)", (1, 4, "`sum` is not defined for int", "it takes list")),
        ("size(1)", (1, 5, "`size` is not defined for int", "it takes string or list or map")),
        ("foo(1, 2)", None),
    ],
)
def test_a_function_that_exists_is_told_how_it_is_called(source: str, found: tuple[int, int, str, str] | None) -> None:
    told = issues(source)
    if found is None:
        assert told[0][2] == "there is no function foo()"
    else:
        assert told == [found]
