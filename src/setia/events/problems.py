"""What can be wrong with an event."""

from __future__ import annotations

from collections.abc import Iterable

from setia.problems import BadRequest, Conflict, ErrorItem, NotFound, Unavailable, Unprocessable
from setia.program.events import RETURN_EVENTS


class InvalidEvent(Unprocessable):
    """The event breaks a rule; nothing was kept of it."""

    code = "invalid_event"
    title = "The event breaks a rule"

    @classmethod
    def at(cls, pointer: str, message: str, hint: str | None = None) -> InvalidEvent:
        """One fault at one place."""
        return cls(message, errors=(ErrorItem(pointer=pointer, message=message, hint=hint),))

    @classmethod
    def of(cls, errors: Iterable[ErrorItem]) -> InvalidEvent:
        """Several faults; the detail is the first of them."""
        items = tuple(errors)
        return cls(items[0].message, errors=items)


class MalformedEvent(BadRequest):
    """The body is not JSON of the shape that is read here."""

    code = "malformed_json"
    title = "The body is not JSON"


class EventReused(Unprocessable):
    """The external id is known, with another content."""

    code = "external_id_reused"
    title = "This external id belongs to another event"


class UnknownMember(Unprocessable):
    """Nobody has these identifiers, and the program refuses events of strangers."""

    code = "unknown_member"
    title = "No member has these identifiers"


class MemberNotActive(Unprocessable):
    """The member is suspended or closed."""

    code = "member_not_active"
    title = "The member is not active"


def check_status(member: str, status: str, event_type: str) -> None:
    """Raise `MemberNotActive` where nothing is booked for a member of this status.

    Goods of who is suspended come back all the same: else the points they brought would be there after it.
    """
    if status == "active" or (status == "suspended" and event_type in RETURN_EVENTS):
        return
    message = f"The member is {status}; events are booked for active members only."
    if status == "suspended":
        message += " Returns and cancellations are booked for suspended ones too."
    raise MemberNotActive(message, extra={"member": member, "member_status": status})


class EventTooLate(Unprocessable):
    """The event lies further back than the program still counts."""

    code = "event_too_late"
    title = "The event comes too late"


class EventInFuture(Unprocessable):
    """The event lies ahead of the server's clock."""

    code = "event_in_future"
    title = "The event lies in the future"


class EventNotFound(NotFound):
    """No such event in this program."""

    code = "event_not_found"
    title = "There is no such event"


class OutcomeUnknown(Unavailable):
    """The connection to the database broke while committing. Sending the same event again tells what happened."""

    code = "outcome_unknown"
    title = "Whether the event was kept is not known"


class UnknownOrder(Unprocessable):
    """A return names an order that the member has not made."""

    code = "unknown_order"
    title = "The member has no such order"


class PointsSpent(Unprocessable):
    """A return takes back points that have been spent, and the program refuses that."""

    code = "points_spent"
    title = "Points of the order have been spent"


TAKEN_BY_OTHERS = frozenset({"out_of_stock", "total_limit", "no_codes_left", "date_full"})
"""The reasons why a reward cannot be had that are about what others took of it."""


class RewardUnavailable(Conflict):
    """The member cannot have the reward now; `reasons` say why, for programs."""

    code = "reward_unavailable"
    title = "The member cannot have this reward now"

    @property
    def is_taken_by_others(self) -> bool:
        """Whether what others have is in the way. A hold of theirs may be over, and not be booked yet."""
        return any(reason["code"] in TAKEN_BY_OTHERS for reason in self.extra["reasons"])
