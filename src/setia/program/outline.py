"""A program as sentences: what it does, for somebody who does not read YAML."""

from __future__ import annotations

from collections.abc import Iterator

from setia.program.campaigns import Campaign, Multiply, Schedule
from setia.program.definition import Program
from setia.program.earning import Earn
from setia.program.offers import Offer

_ONCE = {
    "event": "an event",
    "ever": "ever",
    "day": "a day",
    "week": "a week",
    "month": "a month",
    "quarter": "a quarter",
    "year": "a year",
}


def outline(program: Program) -> list[tuple[str, str]]:
    """Return each campaign's id with a sentence in English about it, in the order of the definition."""
    return [(name, sentence(campaign)) for name, campaign in program.campaigns.items()]


def sentence(campaign: Campaign) -> str:
    """Say what one campaign does and when."""
    text = f"On {' or '.join(trigger.replace('_', ' ') for trigger in campaign.triggers)}"
    if campaign.schedule is not None:
        text += "".join(f", {part}" for part in _schedule(campaign.schedule))
    if campaign.when is not None:
        text += f", if {campaign.when}"
    if campaign.offer is not None:
        text += f", {_goal(campaign.offer)}"
    text += f": {'; '.join(_effects(campaign))}"
    if campaign.lines is not None:
        text += f", counting lines where {campaign.lines}"
    for limit in campaign.limits:
        measure = str(limit) if limit.uses is None else f"{limit.uses} times"
        text += f", at most {measure} {_ONCE[limit.every]} {'a member' if limit.per == 'member' else 'in all'}"
    if campaign.group is not None:
        text += f", as one of the group {campaign.group}"
    if campaign.exclusive:
        text += ", and nothing else with it"
    if campaign.always:
        text += ", beside exclusive ones too"
    return f"{text}." if campaign.enabled else f"(Switched off) {text}."


def _schedule(schedule: Schedule) -> Iterator[str]:
    if schedule.starts is not None:
        yield f"from {schedule.starts.isoformat()}"
    if schedule.ends is not None:
        yield f"until {schedule.ends.isoformat()}"
    if schedule.days is not None:
        yield f"on {', '.join(schedule.days)}"
    if schedule.from_ is not None:
        yield f"between {schedule.from_} and {schedule.to}"


def _goal(offer: Offer) -> str:
    progress = offer.progress
    kind = progress.kind
    wanted = ", ".join(progress.items) if kind == "items" else str(getattr(progress, kind))
    text = f"towards {kind} {wanted}"
    if offer.most_completions is None:
        text += " again and again"
    elif offer.most_completions > 1:
        text += f" up to {offer.most_completions} times"
    if offer.for_ == "assigned":
        text += ", for whom it is assigned to"
    if offer.valid_for is not None:
        text += f" for {offer.valid_for}"
    return text + (" and who activates it" if offer.activation == "by_member" else "")


def _effects(campaign: Campaign) -> Iterator[str]:
    for point_type, rate in campaign.earn.items():
        yield f"earn {_rate(rate, point_type)}"
    if campaign.multiply is not None:
        yield _multiply(campaign.multiply)
    for point_type, rate in campaign.deduct.items():
        yield f"deduct {_rate(rate, point_type)}"
    for name, source in campaign.set.items():
        yield f"set {name} to {source}"
    for tag in campaign.tag:
        yield f"add the tag {tag}"
    for tag in campaign.untag:
        yield f"remove the tag {tag}"
    for tier_set, level in campaign.tier.items():
        yield f"set {tier_set} to {level}"
    if campaign.effect is not None:
        yield f"tell the caller {campaign.effect.name}"
    if campaign.coupon is not None:
        yield f"give a coupon of {campaign.coupon.of}"


def _multiply(multiply: Multiply) -> str:
    of = (multiply.of,) if isinstance(multiply.of, str) else multiply.of
    points = f" ({', '.join(multiply.points)} only)" if multiply.points else ""
    return f"multiply {', '.join(of)} by {multiply.by}{points}"


def _rate(rate: Earn, point_type: str) -> str:
    per = {
        "per_amount": f" per {rate.per}",
        "per_whole_amount": f" per whole {rate.per}",
        "per_unit": " per unit",
        "per_line": " per line",
    }
    if rate.kind == "expression":
        return f"{rate.expression} {point_type}"
    return f"{rate.points} {point_type}{per.get(rate.kind, '')}"
