"""What can go wrong with rewards, as callers are told."""

from __future__ import annotations

from setia.problems import Conflict, NotFound, TooManyRequests, Unprocessable


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


class RewardUnavailable(Conflict):
    """The member cannot have the reward now; `reasons` say why, for programs."""

    code = "reward_unavailable"
    title = "The member cannot have this reward now"


class RedemptionEnded(Conflict):
    """From the present state of the redemption there is no way to the wanted one."""

    code = "redemption_state_conflict"
    title = "The redemption's state does not allow this"


class ReferenceUsed(Conflict):
    """The till used this reference for another request."""

    code = "reference_used"
    title = "The till has used this reference for something else"


class CodeUnusable(Conflict):
    """The code is known and cannot be used; `reason` says why."""

    code = "code_unusable"
    title = "This code cannot be used"


class InvalidRedemption(Unprocessable):
    """A value of the request does not go with the reward or the code."""

    code = "invalid_redemption"
    title = "This cannot be redeemed so"


class TooManyGuesses(TooManyRequests):
    """Too many codes were asked for that are none."""

    code = "too_many_guesses"
    title = "Too many wrong codes"
