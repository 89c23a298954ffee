"""Frozen points: the one check that whoever takes points for a member has to make."""

from __future__ import annotations

from setia.engine.state import Counters
from setia.problems import Conflict


class PointsFrozen(Conflict):
    """The member's points are frozen: they come in, end and are taken back as ever, and nobody spends them."""

    code = "points_frozen"
    title = "The member's points are frozen"


def refuse_frozen(member: str, counters: Counters) -> None:
    """Refuse to take points of a member who has frozen them.

    `member` is the id as callers know it; `counters` are those of the locked member.

    Raises:
        PointsFrozen: they are.
    """
    if counters.frozen_at is not None:
        message = "Nothing was taken. Unfreeze them first: POST /v1/members/{id}/points/unfreeze."
        raise PointsFrozen(message, extra={"member": member, "frozen_at": counters.frozen_at.isoformat()})
