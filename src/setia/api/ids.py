"""Ids that callers send: one that nobody can have is one that nobody has."""

from collections.abc import Callable
from uuid import UUID

from setia.db.ids import parse_id
from setia.problems import Problem


def read_id(prefix: str, text: str, missing: Callable[[str], Problem]) -> UUID:
    """The UUID of an id with a prefix; raises what `missing` makes, the answer for one that is not there, else."""
    try:
        return parse_id(prefix, text)
    except ValueError as error:
        raise missing(f"The id {error}.") from None
