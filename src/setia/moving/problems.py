"""What can go wrong when points are moved, as callers are told."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from setia.engine.moving import MovingReason
from setia.problems import Conflict, NotFound, Unprocessable


class NotTransferable(Unprocessable):
    """The live version lets nobody give these points away."""

    code = "points_not_transferable"
    title = "Members cannot give these points to each other"


class NoSuchExchange(NotFound):
    """The live version has no such exchange."""

    code = "exchange_not_found"
    title = "There is no such exchange"


class NoSuchTransfer(NotFound):
    """The program has no such transfer."""

    code = "transfer_not_found"
    title = "There is no such transfer"


class MoveRefused(Conflict):
    """The points cannot be moved now; `reasons` say why, for programs."""

    code = "move_refused"
    title = "These points cannot be moved now"


class TransferSpent(Conflict):
    """What was transferred is not there any more, or not all of it."""

    code = "transfer_spent"
    title = "The transferred points are no longer there"


def refused(reasons: Sequence[MovingReason]) -> MoveRefused:
    """The problem that says why."""
    codes = ", ".join(dict.fromkeys(f"{reason.side}: {reason.code}" for reason in reasons))
    return MoveRefused(f"Why not: {codes}.", extra={"reasons": msgspec.to_builtins(list(reasons))})


class NoSuchMerge(NotFound):
    """The program has no such merge."""

    code = "merge_not_found"
    title = "There is no such merge"


class InvalidMerge(Unprocessable):
    """The two cannot be merged, whatever happens to them."""

    code = "invalid_merge"
    title = "These members cannot be merged"


class MergeConflict(Conflict):
    """As the members are now, they cannot be merged, or not be parted."""

    code = "merge_conflict"
    title = "The members' state does not allow this"


class MergeSpent(Conflict):
    """Points that were the duplicate's have been spent, and the member who stays has not enough others."""

    code = "merge_spent"
    title = "Points of the duplicate have been spent"
