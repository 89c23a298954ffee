"""One check of `verify`."""

from __future__ import annotations

from typing import NamedTuple


class Check(NamedTuple):
    """One rule: the kind of finding it gives, the invariant it guards, and its query.

    The query gives the rows that break the rule: member, seq, line, detail, expected, found.
    """

    kind: str
    invariant: str
    query: str
