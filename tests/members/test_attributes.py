"""Attributes are what the program says they are."""

from typing import Any

import pytest

from setia.members.attributes import InvalidAttributes, check_attributes, merge
from setia.program.events import Attribute, Members

MEMBERS = Members(
    attributes={
        "nickname": Attribute(max_length=5),
        "size": Attribute(values=("s", "m")),
        "children": Attribute(type="integer"),
        "height": Attribute(type="number"),
        "vegan": Attribute(type="boolean"),
        "birthday": Attribute(type="date"),
        "hobbies": Attribute(type="string_list", max_length=5),
    }
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nickname", "Ada"),
        ("size", "m"),
        ("children", -3),
        ("children", 2**53 - 1),
        ("height", 1.68),
        ("height", 2),
        ("vegan", False),
        ("birthday", "2024-02-29"),
        ("hobbies", ["chess", "go"]),
        ("hobbies", []),
        ("nickname", None),
    ],
)
def test_what_fits(name: str, value: Any) -> None:
    assert check_attributes(MEMBERS, {name: value}) == {name: value}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("shoe", 1, "The program has no such attribute."),
        ("nickname", "Adelheid", "It must have at most 5 characters."),
        ("nickname", 5, "It must be a text."),
        ("nickname", "a\0", "It must not hold the character NUL."),
        ("size", "xl", "It must be one of s, m."),
        ("children", True, "It must be a whole number."),
        ("children", 1.0, "It must be a whole number."),
        ("children", 10**30, "It must lie between -9007199254740991 and 9007199254740991."),
        ("height", "2", "It must be a number."),
        ("height", 1e300, "It must lie between -9007199254740991 and 9007199254740991."),
        ("vegan", "yes", "It must be true or false."),
        ("birthday", "2023-02-29", "It must be a date as YYYY-MM-DD."),
        ("birthday", "20240229", "It must be a date as YYYY-MM-DD."),
        ("hobbies", "chess", "It must be a list of texts."),
        ("hobbies", ["swimming"], "It must have at most 5 characters."),
        ("hobbies", ["x"] * 101, "It must have at most 100 texts."),
    ],
)
def test_what_does_not_fit(name: str, value: Any, message: str) -> None:
    with pytest.raises(InvalidAttributes) as raised:
        check_attributes(MEMBERS, {name: value, "vegan": None} if name != "vegan" else {name: value})
    assert [(item.pointer, item.message) for item in raised.value.errors] == [(f"#/attributes/{name}", message)]


def test_pointers_are_escaped() -> None:
    with pytest.raises(InvalidAttributes) as raised:
        check_attributes(MEMBERS, {"a/b~": 1})
    assert raised.value.errors[0].pointer == "#/attributes/a~1b~0"


def test_null_removes() -> None:
    assert merge({"size": "s", "vegan": True}, {"size": None, "children": 2}) == {"vegan": True, "children": 2}
