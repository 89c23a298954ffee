"""What an expression reads: the dotted paths from variables to fields."""

from __future__ import annotations

from setia.expressions import syntax
from setia.expressions.interpret import path_of
from setia.expressions.syntax import Node, children, walk


def references(root: Node) -> frozenset[str]:
    """All paths, those of elements too: `event.lines.exists(l, l.sku == "A")` reads event.lines and event.lines.sku.

    A map read by a literal key counts with its key, by any other key without. An element of a list that has no path
    itself (`[a, b].all(x, x.ready)`) adds nothing but the paths in that list.
    """
    found: set[str] = set()
    resolved: dict[int, str | None] = {}
    # Ranges of inner macros may start at elements of outer ones; the walk meets outer ones first.
    for node in walk(root):
        if isinstance(node, syntax.Macro):
            resolved[node.key] = _resolved(node.range, path_of(node.range), resolved)
    _collect(root, resolved, found)
    return frozenset(found)


def paths(root: Node) -> dict[str, Node]:
    """The longest paths that start at a variable, with the node that reads each, in the order of the text."""
    found: dict[str, Node] = {}
    _variables(root, found)
    return found


def _start(node: Node) -> Node:
    while isinstance(node, syntax.Select | syntax.Call):
        node = children(node)[0]
    return node


def _resolved(node: Node, path: str | None, resolved: dict[int, str | None]) -> str | None:
    """A path with the element it starts from, if any, replaced by the path of what the macro goes through."""
    start = _start(node)
    if path is None or not isinstance(start, syntax.LoopVariable):
        return path
    before = resolved.get(start.key)
    return None if before is None else before + path.removeprefix(start.name)


def _collect(node: Node, resolved: dict[int, str | None], found: set[str]) -> None:
    path = path_of(node)
    if path is None:
        for child in children(node):
            _collect(child, resolved, found)
    elif (whole := _resolved(node, path, resolved)) is not None:
        found.add(whole)


def _variables(node: Node, found: dict[str, Node]) -> None:
    path = path_of(node)
    if path is None:
        for child in children(node):
            _variables(child, found)
    elif isinstance(_start(node), syntax.Variable):
        found.setdefault(path, node)
