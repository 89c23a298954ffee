"""A character of an expression is found in the file, whatever the style of the scalar."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.program.positions import Sources, character_offsets
from setia.program.source_text import Place, checked
from setia.program.yaml_nodes import MapNode, ScalarNode, parse
from setia.program.yaml_writer import _text


def sources(text: str) -> Sources:
    root = parse(checked("p.yaml", text))
    assert root is not None
    return Sources(root)


# The letter X stands once in each text; its place in the value and in the file must be the same character.
STYLES = [
    ("when: a && X", 1, 12),
    ("when:   a &&\n    b && X\n", 2, 10),
    ("when: a &&\n\n\n  X\n", 4, 3),
    ("when: 'it''s && X'", 1, 17),
    ("when: 'a\n  b ''c''\n  && X'", 3, 6),
    ('when: "a == \\"b\\" && X"', 1, 22),
    ('when: "\\u00e4\\x41\\t X"', 1, 21),
    ('when: "a \\\n    b && X"', 2, 10),
    ('when: "a\n\n   X"', 3, 4),
    ("when: |\n  a &&\n  X\n", 3, 3),
    ("when: |-\n    a &&\n      X", 3, 7),
    ("when: >\n  a &&\n  b && X\n", 3, 8),
    ("when: >- # why\n  a\n\n  && X\n", 4, 6),
    ("when: |2\n   a\n  X\n", 3, 3),
    ("when: &anchor 'a X'", 1, 18),
    ("when: !!str X", 1, 13),
    ("k: {when: a X, z: 1}", 1, 13),
    ("when: |\r\n  a &&\r\n  X\r\n", 3, 3),
]


@pytest.mark.parametrize(("text", "line", "column"), STYLES)
def test_a_character_is_found_in_every_style(text: str, line: int, column: int) -> None:
    found = sources(text)
    path = ("k", "when") if text.startswith("k") else ("when",)
    node: object = found.root
    for part in path:
        assert isinstance(node, MapNode)
        node = node.entries[part][1]
    assert isinstance(node, ScalarNode)
    index = node.value.index("X")
    in_line = node.value.count("\n", 0, index) + 1
    in_column = index - (node.value.rfind("\n", 0, index) + 1) + 1
    assert found.inside(path, in_line, in_column) == Place("p.yaml", line, column)
    assert text.splitlines()[line - 1][column - 1] == "X"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40))
def test_each_character_of_a_written_text_is_found(value: str) -> None:
    text = f"when: {_text(value, flow=False)}"
    root = parse(checked("p.yaml", text))
    assert isinstance(root, MapNode)
    node = root.entries["when"][1]
    assert isinstance(node, ScalarNode)
    assert node.value == value
    offsets = character_offsets(node)
    assert len(offsets) == len(value) + 1
    assert offsets == sorted(offsets)
    for character, offset in zip(value, offsets, strict=False):
        assert text[offset] in {character, "\\"}


def test_keys_values_and_list_items_have_places() -> None:
    found = sources("a:\n  b: [1, {c: 2}]\n")
    assert found.key(("a", "b")) == Place("p.yaml", 2, 3)
    assert found.value(("a", "b")) == Place("p.yaml", 2, 6)
    assert found.value(("a", "b", 0)) == Place("p.yaml", 2, 7)
    assert found.value(("a", "b", 1, "c")) == Place("p.yaml", 2, 14)


def test_what_was_not_written_is_found_at_its_parent() -> None:
    found = sources("a:\n  b: 1\n")
    assert found.value(("a", "x", "y")) == Place("p.yaml", 1, 1)
    assert found.inside(("a",), 3, 3) == Place("p.yaml", 2, 3)
    assert found.inside(("a", "b"), 9, 99) == Place("p.yaml", 2, 7)


def test_columns_count_characters_and_not_bytes() -> None:
    assert sources("{ä€😀: X}").value(("ä€😀",)) == Place("p.yaml", 1, 7)
