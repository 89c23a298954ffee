"""One offer made ready: what completes it as a whole number, and its window."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from zoneinfo import ZoneInfo

from setia.engine.compiled_campaigns import QUANTITY_SCALE, compile_schedule
from setia.program.currencies import minor_digits
from setia.program.definition import Program
from setia.program.names import Period
from setia.program.offers import Offer, ProgressKind

_QUANTITY_DIGITS = len(str(QUANTITY_SCALE)) - 1


@dataclass(frozen=True, slots=True)
class CompiledOffer:
    """The offer of one campaign. `target` is in the smallest unit of what is counted, which has `digits` decimals."""

    campaign: str
    kind: ProgressKind
    target: int
    digits: int
    items: tuple[str, ...]
    most: int | None
    """How often one instance can be completed; None without end."""
    carry_over: bool
    everybody: bool
    by_member: bool
    inclusive: bool
    valid_for: Period | None
    starts: dt.datetime | None
    ends: dt.datetime | None
    """When its campaign begins and ends (exclusive)."""


def compile_offer(program: Program, campaign: str, offer: Offer) -> CompiledOffer:
    """Make the offer of one campaign ready."""
    schedule = compile_schedule(program.campaigns[campaign].schedule, ZoneInfo(program.program.timezone))
    progress = offer.progress
    kind = progress.kind
    digits = {"spend": minor_digits(program.program.currency), "units": _QUANTITY_DIGITS}.get(kind, 0)
    if kind == "items":
        target = len(progress.items)
    else:
        # A target finer than what is counted is refused by lint; rounded up, it would at least not come too early.
        target = int((Decimal(getattr(progress, kind)) * 10**digits).to_integral_value(ROUND_CEILING))
    return CompiledOffer(
        campaign=campaign,
        kind=kind,
        target=target,
        digits=digits,
        items=progress.items,
        most=offer.most_completions,
        carry_over=offer.carry_over,
        everybody=offer.for_ == "everybody",
        by_member=offer.activation == "by_member",
        inclusive=offer.end == "inclusive",
        valid_for=offer.valid_for,
        starts=None if schedule is None else schedule.starts,
        ends=None if schedule is None else schedule.ends,
    )
