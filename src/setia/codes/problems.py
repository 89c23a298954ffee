"""What can go wrong with codes of any kind, as callers are told."""

from __future__ import annotations

from setia.problems import Conflict, TooManyRequests


class TooManyGuesses(TooManyRequests):
    """Too many codes were asked for that are none."""

    code = "too_many_guesses"
    title = "Too many wrong codes"


class ReferenceUsed(Conflict):
    """The till used this reference for another request."""

    code = "reference_used"
    title = "The till has used this reference for something else"
