"""What can go wrong with rewards, as callers are told."""

from __future__ import annotations

from setia.codes.problems import ReferenceUsed as ReferenceUsed  # noqa: PLC0414 - named here too, for the routers
from setia.codes.problems import TooManyGuesses as TooManyGuesses  # noqa: PLC0414 - likewise
from setia.events.problems import RewardUnavailable as RewardUnavailable  # noqa: PLC0414 - named here too
from setia.problems import Conflict, NotFound, Unprocessable


class NoSuchReward(NotFound):
    """The live version has no such reward."""

    code = "reward_not_found"
    title = "There is no such reward"


class NoSuchRedemption(NotFound):
    """The program has no such redemption."""

    code = "redemption_not_found"
    title = "There is no such redemption"


class NoSuchCode(NotFound):
    """The program has no such code; of other programs nothing is said."""

    code = "code_not_found"
    title = "There is no such code"


class NoSuchUse(NotFound):
    """The till has redeemed no code under this reference."""

    code = "code_use_not_found"
    title = "No code was redeemed under this reference"


class RedemptionEnded(Conflict):
    """From the present state of the redemption there is no way to the wanted one."""

    code = "redemption_state_conflict"
    title = "The redemption's state does not allow this"


class CodeUnusable(Conflict):
    """The code is known and cannot be used; `reason` says why."""

    code = "code_unusable"
    title = "This code cannot be used"


class InvalidRedemption(Unprocessable):
    """A value of the request does not go with the reward or the code."""

    code = "invalid_redemption"
    title = "This cannot be redeemed so"


class NoSuchDraw(NotFound):
    """The program has no such draw of a raffle."""

    code = "draw_not_found"
    title = "There is no such draw"


class RaffleDrawn(Conflict):
    """The draw has taken place, with other values."""

    code = "raffle_drawn"
    title = "The raffle has been drawn"


class NotEntitled(Conflict):
    """The member has no such entitlement that can be used now."""

    code = "not_entitled"
    title = "The member is not entitled to this now"
