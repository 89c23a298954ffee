"""What can go wrong with referrals, as callers are told."""

from __future__ import annotations

from setia.problems import Conflict, NotFound, Unprocessable


class NoSuchReferral(NotFound):
    """The program has no such referral."""

    code = "referral_not_found"
    title = "There is no such referral"


class InvalidReferral(Unprocessable):
    """What is asked for cannot be; `errors` say where."""

    code = "invalid_referral"
    title = "This cannot be a referral"


class CannotRefer(Conflict):
    """The member cannot refer anybody now."""

    code = "cannot_refer"
    title = "The member cannot refer anybody"
