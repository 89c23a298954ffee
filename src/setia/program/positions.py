"""From a path in a definition to its place in the files, even to a character inside a scalar."""

from __future__ import annotations

from dataclasses import dataclass

from setia.program.findings import Path
from setia.program.source_text import Place
from setia.program.yaml_nodes import ListNode, MapNode, Node, ScalarNode

_BLANK = " \t\r\n"
_CODE_LENGTH = {"x": 2, "u": 4, "U": 8}


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a definition, and where each of its values stands in them."""

    root: Node

    def key(self, path: Path) -> Place:
        """Return the place of the key at `path`; of a list item, the item."""
        key, value, _ = self._find(path)
        return (key or value).place

    def value(self, path: Path) -> Place:
        """Return the place of the value at `path`, or of its nearest parent that was written down."""
        _, value, found = self._find(path)
        return value.place if found == len(path) else self.key(path[:found])

    def inside(self, path: Path, line: int, column: int) -> Place:
        """Return the place of a character inside the text at `path`; `line` and `column` count from 1 in the value."""
        _, node, found = self._find(path)
        if found < len(path) or not isinstance(node, ScalarNode):
            return self.value(path)
        lines = node.value.split("\n")
        before = lines[: max(0, min(line, len(lines)) - 1)]
        index = sum(len(text) + 1 for text in before) + max(0, column - 1)
        offsets = character_offsets(node)
        return node.source.place(offsets[min(index, len(offsets) - 1)])

    def _find(self, path: Path) -> tuple[ScalarNode | None, Node, int]:
        """Walk down as far as the path was written: the last key, its value, and how many steps that were."""
        key: ScalarNode | None = None
        node = self.root
        for step, part in enumerate(path):
            if isinstance(node, MapNode) and str(part) in node.entries:
                key, node = node.entries[str(part)]
            elif isinstance(node, ListNode) and isinstance(part, int) and 0 <= part < len(node.items):
                key, node = None, node.items[part]
            else:
                return key, node, step
        return key, node, len(path)


def character_offsets(node: ScalarNode) -> list[int]:
    """Where each character of a scalar's value stands in its file, and last, where the value ends.

    Visible characters stand in the file in the order of the value, so they are found one after the other; folded line
    breaks and indentation between them are skipped. That holds for every style; quotes add their escapes.
    """
    text, position, end = node.source.text, node.start, node.end
    if node.style in {"'", '"'}:
        # An anchor or a tag may stand before the quote.
        position = max(position, text.find(node.style, position, end) + 1)
    elif node.style in {"|", ">"}:
        position = _after_header(text, position, end)
    if node.style == '"':
        return _in_double_quotes(node.value, text, position, end)
    offsets: list[int] = []
    for character in node.value:
        if character not in _BLANK:
            while position < end and text[position] != character:
                position += 1
        offsets.append(min(position, end))
        if character not in _BLANK or (position < end and text[position] in _BLANK):
            position += 2 if node.style == "'" and character == "'" else 1
    offsets.append(min(position, end))
    return offsets


def _after_header(text: str, position: int, end: int) -> int:
    line_end = text.find("\n", position, end)
    return line_end + 1 if line_end >= 0 else end


def _in_double_quotes(value: str, text: str, position: int, end: int) -> list[int]:
    offsets: list[int] = []
    for character in value:
        position = _past_escaped_breaks(text, position, end)
        escaped = position + 1 < end and text[position] == "\\"
        if not escaped and character not in _BLANK:
            while position < end and text[position] in _BLANK:
                position += 1
            position = _past_escaped_breaks(text, position, end)
            escaped = position + 1 < end and text[position] == "\\"
        offsets.append(min(position, end))
        if escaped:
            position += 2 + _CODE_LENGTH.get(text[position + 1], 0)
        elif character not in _BLANK or (position < end and text[position] in _BLANK):
            position += 1
    offsets.append(min(position, end))
    return offsets


def _past_escaped_breaks(text: str, position: int, end: int) -> int:
    """A backslash at the end of a line joins it with the next one and stands for no character."""
    while position + 1 < end and text[position] == "\\" and text[position + 1] in "\r\n":
        position += 1
        while position < end and text[position] in _BLANK:
            position += 1
    return position
