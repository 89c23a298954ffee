"""What can go wrong with reward links, as callers and recipients are told."""

from __future__ import annotations

from setia.problems import Conflict, Gone, NotFound, Unprocessable


class NoSuchRewardLink(NotFound):
    """There is no such link; of wrong tokens nothing else is said."""

    code = "reward_link_not_found"
    title = "There is no such reward link"


class RewardLinkOver(Gone):
    """The link's time has passed, or it was withdrawn; `state` says which."""

    code = "reward_link_over"
    title = "This reward link can no longer be used"


class RewardLinkChosen(Conflict):
    """The recipient has chosen already."""

    code = "reward_link_chosen"
    title = "The choice of this link was made"


class RewardNotOffered(Conflict):
    """The reward is none of those the link offers, or nothing is left of it."""

    code = "reward_not_offered"
    title = "The link does not offer this reward now"


class InvalidRewardLink(Unprocessable):
    """A value of the request does not go with the program."""

    code = "invalid_reward_link"
    title = "This reward link cannot be made so"
