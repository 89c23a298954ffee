"""A case from its words to a result: written as a program, published, played through the API, and compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from cases.amounts import same, shown
from cases.audiences import AUDIENCE_SETTINGS
from cases.birthdays import known_before
from cases.coupons import COUPON_SETTINGS
from cases.discounts import DISCOUNT_SETTINGS
from cases.draft import Draft, Setting
from cases.earning_rules import write_rules
from cases.findings import check_expressible, look_up
from cases.happenings import declare, happening
from cases.memberships import MEMBERSHIP_SETTINGS
from cases.money_settings import MONEY_SETTINGS
from cases.moving import MOVING_SETTINGS
from cases.play import Play
from cases.point_settings import POINT_SETTINGS
from cases.promotions import write_promotions
from cases.published import Case, NotExpressible
from cases.referrals import write_referral
from cases.rewards import REWARD_SETTINGS
from cases.shop import Server
from cases.spellings import expected as told_as
from cases.spellings import respelled
from cases.tier_settings import TIER_SETTINGS
from cases.timeline import Timeline

Outcome = Literal["passed", "failed", "not expressible"]

SETTINGS: dict[str, Setting] = {
    "rules": write_rules,
    "promotions": write_promotions,
    **MONEY_SETTINGS,
    **TIER_SETTINGS,
    **POINT_SETTINGS,
    **DISCOUNT_SETTINGS,
    **COUPON_SETTINGS,
    "referral": write_referral,
    **REWARD_SETTINGS,
    **MOVING_SETTINGS,
    **MEMBERSHIP_SETTINGS,
    **AUDIENCE_SETTINGS,
}
_LATER = {
    "messages": ("messages",),
    "accounts of partners": ("partner",),
}
_CAPABILITIES = {word: capability for capability, words in _LATER.items() for word in words}
_ORDER = ("base_currency", "tiers", "tier_basis", "rules", "promotions", "rate_by_tier", "membership")
"""Settings that others build on come first; the rest stand as in the case, and those over all campaigns come last."""
_TILL = {"total", "to_pay", "discount", "untaxed_total", "discount_incl_tax"}
"""What is known of a purchase's prices after promotions."""
_LAST = ("from", "to", "round")


@dataclass(frozen=True)
class Result:
    """What became of a case. `missing` names the capability of one that is not expressible."""

    case: Case
    outcome: Outcome
    expected: Any = None
    found: Any = None
    missing: str = ""


def try_case(server: Server, case: Case) -> Result:
    """Play a case and compare. A fault of ours on the way is a failed case, and no end of the run."""
    try:
        expected, found = _play(server, respelled(case))
    except NotExpressible as missing:
        return Result(case, "not expressible", missing=str(missing))
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in one case is told, and the others go on
        return Result(case, "failed", case.expect, f"{type(error).__name__}: {error}")
    outcome: Outcome = "passed" if same(expected, found) else "failed"
    return Result(case, outcome, shown(expected), shown(found))


def write_program(case: Case) -> Draft:
    """A case's program as ours, with what its events need."""
    draft = Draft(case)
    try:
        _write(draft, case)
    except KeyError as lacking:
        raise NotExpressible(f"a case that does not say {lacking}") from lacking
    return draft


def _write(draft: Draft, case: Case) -> None:
    for word in case.program:
        if word not in SETTINGS:
            raise NotExpressible(_CAPABILITIES.get(word, f"program {word}"))
    rank = {word: place - len(_ORDER) for place, word in enumerate(_ORDER)} | dict.fromkeys(_LAST, 1)
    words = sorted(case.program, key=lambda word: rank.get(word, 0))
    early = [word for word in words if rank.get(word, 0) <= 0]
    for word in early:
        SETTINGS[word](draft, case.program[word])
    declare(draft, case.events)
    for word in words[len(early) :]:
        SETTINGS[word](draft, case.program[word])
    if isinstance(case.expect, dict) and {told_as(word, {}) for word in case.expect} & _TILL:
        paid = "sum(event.tenders.map(t, t.amount))"
        net = "event.gross - event.tax"
        draft.effect(
            "till", total="event.gross", to_pay=f"event.gross - {paid}", discount="event.discount", untaxed_total=net
        )
    if not draft.campaigns:
        # A program says something; the case has nothing but events by hand.
        draft.campaign(on="visit", effect={"name": "seen"})


def _play(server: Server, case: Case) -> tuple[Any, Any]:
    variants = case.program.get("variants")
    if variants and isinstance(case.expect, dict):
        found = {name: _under(server, case, name) for name in case.expect}
        return case.expect, found
    if not isinstance(case.expect, dict):
        raise NotExpressible("an expectation that is no mapping")
    check_expressible(case.expect)
    draft = write_program(case)
    if case.expect.keys() <= _TILL - {"discount"} and not draft.has_discounts:
        raise NotExpressible("coupons: what is taken off a price")
    timeline = Timeline(case)
    play = Play(draft, server.open(draft.definition(), timeline.start), timeline)
    play.shop.attributes = draft.enrolled_with
    known_before(play, case.events)
    days = list(case.expect.get("tier_on", {}))
    for event in case.events:
        at = timeline.at(event)
        play.probe(days, at)
        play.shop.move_clock(at)
        answer = happening(event)(play, event, at)
        play.note(event, at, answer)
    play.probe(days)
    return case.expect, look_up(play, case.expect)


def _under(server: Server, case: Case, policy: str) -> Any:
    """The level that a case ends with under one of several policies of falling."""
    settings = {word: value for word, value in case.program.items() if word != "variants"}
    settings |= {"downgrade": policy, "kept": "1 year"}
    expected, found = _play(server, replace(case, program=settings, expect={"tier": case.expect[policy]}))
    return found["tier"] if expected else None
