"""What somebody probably meant: the known name nearest to a misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONGEST = 100
"""Longer texts are no slip of a name, and comparing them costs time with the square of their length."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, or None when nothing is near."""
    if len(name) > _LONGEST:
        return None
    matches = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def hint(name: str, known: Iterable[str], *, of: str) -> str:
    """Write a hint for an unknown name: the nearest one, or what there is. `of` names the kind in the plural."""
    names = [name for name in known if name]
    best = nearest(name, names)
    if best is not None:
        return f"did you mean {best!r}?"
    if not names:
        return f"there are no {of}"
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"{of}: {shown}"
