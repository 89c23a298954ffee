"""The tokens of an expression's text: to find names before a position, and the text that belongs to a node.

The checker keeps one position per node, not its extent. The extent is found again from the tokens below it, widened
until its brackets are balanced.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from setia.expressions.syntax import Node, Presence, walk

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<string>(?:[rR][bB]?|[bB][rR])(?:'''.*?'''|\"\"\".*?\"\"\"|'[^'\n]*'|"[^"\n]*")
        |[bB]?(?:'''(?:\\.|.)*?'''|\"\"\"(?:\\.|.)*?\"\"\"|'(?:\\.|[^\\'\n])*'|"(?:\\.|[^\\"\n])*"))
    |(?P<number>0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?[uU]?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>&&|\|\||[=!<>]=|.)""",
    re.VERBOSE | re.DOTALL,
)
_PAIRS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the text: `kind` is string, number, name or sign; `start` and `end` are offsets in code points."""

    kind: str
    text: str
    start: int
    end: int


class Tokens:
    """The tokens of one text, without white space and comments."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.all: list[Token] = [
            Token(match.lastgroup or "", match.group(), match.start(), match.end())
            for match in _TOKEN.finditer(source)
            if match.lastgroup != "space"
        ]
        self._starts = [token.start for token in self.all]
        self._partner: dict[int, int] = {}
        open_: list[int] = []
        for index, token in enumerate(self.all):
            if token.kind != "sign":
                continue
            if token.text in _PAIRS:
                open_.append(index)
            elif open_ and _PAIRS[self.all[open_[-1]].text] == token.text:
                partner = open_.pop()
                self._partner[partner], self._partner[index] = index, partner

    def index_at(self, offset: int) -> int:
        """The token that covers an offset, or the nearest before it; 0 at the start, -1 in an empty text."""
        return max(bisect_right(self._starts, offset) - 1, min(0, len(self.all) - 1))

    def name_start(self, index: int) -> int:
        """The first token of a dotted name, given one of its dots."""
        while index > 0 and self.all[index].text == "." and self.all[index - 1].kind == "name":
            index -= 1
            if index > 0 and self.all[index - 1].text == ".":
                index -= 1
        return index

    def text_of(self, node: Node) -> str:
        """The part of the source that a node was read from."""
        first, last = len(self.all) - 1, 0
        for part in walk(node):
            low, high = self._own(part)
            first, last = min(first, low), max(last, high)
        first, last = self._balance(first, last)
        return self.source[self.all[first].start : self.all[last].end]

    def _own(self, node: Node) -> tuple[int, int]:
        """The tokens a node has for itself, without its operands."""
        index = self.index_at(node.position)
        token = self.all[index]
        first = last = index
        if token.text == "(":
            # A call: its name stands before the bracket.
            first, last = max(index - 1, 0), self._partner.get(index, index)
        elif token.text in _PAIRS:
            last = self._partner.get(index, index)
        elif token.text == "." or (token.text == "-" and self.all[min(index + 1, len(self.all) - 1)].kind == "number"):
            # A selection takes the name after its dot; a negative number is a literal of two tokens.
            last = min(index + 1, len(self.all) - 1)
        elif isinstance(node, Presence) and token.text in {"==", "!="}:
            # The other side is `null`, which is no node any more.
            if self.all[index + 1].text == "null":
                last = index + 1
            else:
                first = index - 1
        return first, last

    def _balance(self, first: int, last: int) -> tuple[int, int]:
        """The smallest range of tokens around this one whose brackets are all closed inside."""
        at = first
        while at <= last:
            partner = self._partner.get(at, at)
            if partner < first:
                first = at = partner
                continue
            last = max(last, partner)
            at += 1
        return first, last


def line_and_column(source: str, offset: int) -> tuple[int, int]:
    """An offset in code points as line and column, both from 1."""
    before = source[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
