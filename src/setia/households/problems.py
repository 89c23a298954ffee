"""What can go wrong with households, as callers are told."""

from __future__ import annotations

from setia.problems import Conflict, Forbidden, NotFound, Unprocessable


class NoSuchHousehold(NotFound):
    """The program has no such household, or the member is in none."""

    code = "household_not_found"
    title = "There is no such household"


class NotInHousehold(NotFound):
    """The member is not in this household."""

    code = "not_in_household"
    title = "The member is not in this household"


class NoHouseholds(Conflict):
    """The definition has no `households`."""

    code = "no_households"
    title = "This program has no households"


class CannotJoin(Conflict):
    """The member cannot join; `reason` says why."""

    code = "household_cannot_join"
    title = "The member cannot join this household now"


class HouseholdClosed(Conflict):
    """Nobody is in it any more."""

    code = "household_closed"
    title = "This household is closed"


class MayNotSpend(Forbidden):
    """The member's role does not allow to spend what is pooled."""

    code = "household_may_not_spend"
    title = "This member may not spend what is pooled"


class PoolTooSmall(Conflict):
    """The pool has less than is wanted."""

    code = "household_pool_too_small"
    title = "The household has not so many points"


class InvalidHousehold(Unprocessable):
    """A role, a point type or an amount that does not go with the household."""

    code = "invalid_household"
    title = "This household cannot be so"
