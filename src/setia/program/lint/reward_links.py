"""Reward links: rewards that exist and can be had without points, in a currency that fits, amounts it has."""

from __future__ import annotations

from setia.program.currencies import minor_digits
from setia.program.definition import Program
from setia.program.findings import Path
from setia.program.lint.report import Report
from setia.program.nearest import hint as nearest_hint
from setia.program.reward_links import RewardLink
from setia.program.rewards import Reward

_DELIVERED = {"physical", "donation", "partner"}


def check(report: Report) -> None:
    """Check each reason for links."""
    program = report.program
    for name, link in program.reward_links.items():
        path: Path = ("reward_links", name)
        currency = link.currency or program.program.currency
        if link.amount is not None and link.amount != round(link.amount, minor_digits(currency)):
            message = f"{link.amount} has more decimals than {currency}, which has {minor_digits(currency)}"
            report.error("amount_too_fine", (*path, "amount"), message, "round it")
        for place, choice in enumerate(link.rewards):
            _check_choice(report, (*path, "rewards", place), link, choice)


def _check_choice(report: Report, where: Path, link: RewardLink, choice: str) -> None:
    program = report.program
    reward = program.rewards.get(choice)
    if reward is None:
        hint = nearest_hint(choice, program.rewards, of="rewards")
        report.error("unknown_reward", where, f"there is no reward {choice!r}", hint)
    elif not fits_links(reward):
        what = reward.kind if reward.webhook is None else "partner's by webhook"
        message = f"{choice!r} is a {what}, which no link can hand out"
        hint = "name a gift card with `card`, a donation, a physical good, or what has codes of a pool"
        report.error("not_for_links", where, message, hint)
    elif reward.card is not None and _currency(program, reward.card) != (link.currency or program.program.currency):
        message = f"{choice!r} issues cards in {_currency(program, reward.card)}, and the link is in another currency"
        report.error("not_for_links", where, message, "name a card of the link's currency, or change `currency`")
    elif reward.card is not None and link.amount is not None:
        most = program.gift_cards[reward.card].most_balance
        if most is not None and link.amount > most:
            message = f"{choice!r} issues cards that hold {most} at most, and the link is worth {link.amount}"
            report.error("not_for_links", where, message, "name another card, or raise its `most_balance`")


def fits_links(reward: Reward) -> bool:
    """Whether a link can hand a reward out: without a member, and without a code of Setia's for its own tills."""
    if reward.code is not None and reward.code.pool is not None:
        return True
    return reward.card is not None or (reward.kind in _DELIVERED and reward.code is None and reward.webhook is None)


def _currency(program: Program, card: str) -> str | None:
    kind = program.gift_cards.get(card)
    return None if kind is None else kind.currency or program.program.currency
