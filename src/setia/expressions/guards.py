"""Guards: what must be equal to which texts for a condition to be true, as far as its form shows it."""

from __future__ import annotations

from setia.expressions import syntax
from setia.expressions.interpret import path_of
from setia.expressions.syntax import Node, flatten


def guards(root: Node) -> dict[str, tuple[int, frozenset[str]]]:
    """Path -> (number of the clause, the texts of which it must be one) for each clause `path == "text"` or `in`.

    A condition `a && b` is false where `a` is false, whatever `b` is, an error too: so where a guard does not hold, the
    condition need not be evaluated. The first clause about a path counts; clauses are numbered from 0.
    """
    found: dict[str, tuple[int, frozenset[str]]] = {}
    for number, clause in enumerate(flatten(root, "_&&_")):
        path, texts = _guard(clause)
        if path is not None:
            found.setdefault(path, (number, texts))
    return found


def _guard(clause: Node) -> tuple[str | None, frozenset[str]]:
    match clause:
        case syntax.Call(function="_==_", arguments=(left, syntax.Literal(value=str(text)))):
            return path_of(left), frozenset((text,))
        case syntax.Call(function="_==_", arguments=(syntax.Literal(value=str(text)), right)):
            return path_of(right), frozenset((text,))
        case syntax.Call(function="@in", arguments=(left, syntax.ListLiteral(items=items))):
            texts = [item.value for item in items if isinstance(item, syntax.Literal) and isinstance(item.value, str)]
            return path_of(left) if len(texts) == len(items) else None, frozenset(texts)
    return None, frozenset()
