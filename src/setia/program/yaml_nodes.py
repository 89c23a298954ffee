"""YAML 1.2 as a tree of nodes that know where they stand, within limits that a hostile file cannot pass.

Tags, merge keys and several documents in one file are refused: they are not needed, and they are where YAML surprises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from setia.program.findings import DefinitionError
from setia.program.source_text import Place, SourceText, fault

MAX_DEPTH = 32
MAX_NODES = 100_000

ScalarStyle = Literal["plain", "'", '"', "|", ">"]


@dataclass(slots=True, eq=False)
class ScalarNode:
    """A piece of text; `plain` ones may mean a number, a truth value or nothing."""

    source: SourceText
    start: int
    end: int
    value: str
    style: ScalarStyle

    @property
    def place(self) -> Place:
        """Where it begins."""
        return self.source.place(self.start)


@dataclass(slots=True, eq=False)
class ListNode:
    """A list of nodes."""

    source: SourceText
    start: int
    items: list[Node] = field(default_factory=list)
    open: bool = True

    @property
    def place(self) -> Place:
        """Where it begins."""
        return self.source.place(self.start)


@dataclass(slots=True, eq=False)
class MapNode:
    """A mapping in the order of the file: key -> (key's node, value's node)."""

    source: SourceText
    start: int
    entries: dict[str, tuple[ScalarNode, Node]] = field(default_factory=dict)
    open: bool = True

    @property
    def place(self) -> Place:
        """Where it begins."""
        return self.source.place(self.start)


Node: TypeAlias = ScalarNode | ListNode | MapNode


def parse(source: SourceText) -> Node | None:
    """Read one YAML document; None when the text is empty.

    Raises:
        DefinitionError: with one finding, since nothing after the first fault in YAML can be trusted.
    """
    builder = _Builder(source)
    try:
        # The pure reader, because libyaml knows YAML 1.1 only, where `on` and `no` are truth values.
        for event in YAML(typ="safe", pure=True).parse(source.text):
            builder.take(event)
    except DefinitionError:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = source.place(mark.index if mark is not None else 0)
        message, hint = _in_plain_words(error)
        raise DefinitionError([fault("yaml_syntax", message, place, hint)]) from None
    except (YAMLError, ValueError, LookupError, ArithmeticError, AttributeError, TypeError, AssertionError) as error:
        # The reader itself stumbles over some malformed escapes and directives instead of refusing them.
        message = f"this is not YAML: {type(error).__name__} while reading"
        hint = "look in this file for an escape or a line with % that is none"
        raise DefinitionError([fault("yaml_syntax", message, builder.last, hint)]) from None
    return builder.root


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_TAB = re.compile(r"found character '\\?\t'|found character '\\t'|tab")


def _in_plain_words(error: MarkedYAMLError) -> tuple[str, str]:
    problem = str(error.problem or "this is not YAML")
    if _TAB.search(problem):
        return "a tab cannot stand here", "indent with spaces, never with tabs"
    if "mapping values are not allowed" in problem:
        return "a `:` cannot stand here", "put quotes around a text that contains `: `, or check the indentation"
    if "undefined alias" in problem:
        return problem, "an anchor (&name) must stand before its alias (*name)"
    if "found unexpected end of stream" in problem:
        return "a quote is opened here or before and never closed", "close the text with the same quote"
    where = f" ({error.context})" if error.context else ""
    return f"{problem}{where}", "check quotes, brackets and indentation just before this place"


class _Builder:
    """Makes the tree from the reader's events, and stops at the first thing that is not allowed."""

    def __init__(self, source: SourceText) -> None:
        self.root: Node | None = None
        self.last = source.place(0)
        self._source = source
        self._stack: list[ListNode | MapNode] = []
        self._keys: list[ScalarNode | None] = []
        self._anchors: dict[str, Node] = {}
        self._nodes = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        start = event.start_mark.index
        self.last = self._source.place(start)
        match event:
            case DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._refuse("yaml_syntax", "a second document begins here", "keep one document in a file")
            case AliasEvent():
                self._alias(event.anchor)
            case ScalarEvent():
                self._tag(event, "tag:yaml.org,2002:str")
                # The text of the file has none of these; escapes between double quotes may.
                if _UNSTORABLE.search(event.value):
                    message = "the text has an escape for a character that cannot be stored"
                    self._refuse("yaml_encoding", message, "leave out \\0, and write characters as themselves")
                style: Any = event.style or "plain"
                self._put(ScalarNode(self._source, start, event.end_mark.index, event.value, style), event.anchor)
            case SequenceStartEvent() | MappingStartEvent():
                self._tag(event)
                kind = ListNode if isinstance(event, SequenceStartEvent) else MapNode
                node = kind(self._source, start)
                self._put(node, event.anchor)
                if len(self._stack) >= MAX_DEPTH:
                    message = f"lists and mappings lie more than {MAX_DEPTH} deep in each other"
                    self._refuse("yaml_too_deep", message, "lay it out flatter, or close a bracket")
                self._stack.append(node)
                self._keys.append(None)
            case SequenceEndEvent() | MappingEndEvent():
                self._stack.pop().open = False
                self._keys.pop()

    def _put(self, node: Node, anchor: str | None) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._refuse(
                "yaml_too_large", f"the definition has more than {MAX_NODES:,} values", "is this another file?"
            )
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._stack:
            self.root = node
            return
        parent = self._stack[-1]
        if isinstance(parent, ListNode):
            parent.items.append(node)
            return
        key = self._keys[-1]
        if key is None:
            self._keys[-1] = self._key(parent, node)
            return
        parent.entries[key.value] = (key, node)
        self._keys[-1] = None

    def _key(self, parent: MapNode, node: Node) -> ScalarNode:
        if not isinstance(node, ScalarNode):
            self._refuse(
                "yaml_syntax", "a key is a text, not a list or a mapping", "was a `{` or `[` meant to be quoted?"
            )
        if node.value == "<<" and node.style == "plain":
            self._refuse("yaml_syntax", "merge keys (`<<`) are not part of YAML 1.2", "write the keys out")
        before = parent.entries.get(node.value)
        if before is not None:
            message = f"the key {node.value!r} stands twice; first in line {before[0].place.line}"
            self._refuse("yaml_duplicate_key", message, "remove one of them, or rename it")
        return node

    def _alias(self, anchor: str) -> None:
        node = self._anchors.get(anchor)
        if node is None:
            self._refuse("yaml_syntax", f"there is no anchor &{anchor} before this alias", f"write &{anchor} first")
        if not isinstance(node, ScalarNode) and node.open:
            self._refuse(
                "yaml_alias",
                f"the alias *{anchor} stands inside its own anchor, so it would never end",
                "write the values out",
            )
        self._put(node, None)

    def _tag(self, event: Any, *allowed: str) -> None:
        if event.tag is not None and str(event.tag) not in {"!", *allowed}:
            self._refuse("yaml_tag", f"the tag {str(event.tag)!r} is not allowed", "write plain YAML without `!`")
        if event.tag is not None and isinstance(event, ScalarEvent) and event.style is None:
            # `!!str 5` is the text "5": reading it as a number would be a surprise.
            event.style = "'"

    def _refuse(self, code: str, message: str, hint: str = "") -> NoReturn:
        raise DefinitionError([fault(code, message, self.last, hint)])
