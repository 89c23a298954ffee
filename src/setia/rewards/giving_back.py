"""Points that come back: to the lots they came from; where one has ended meanwhile, for a grace of their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from setia.engine.calendar import after
from setia.engine.compiled import CompiledProgram
from setia.engine.decision import REFUND_GRACE, PointsEffect
from setia.ledger.entries import Account, Kind, LotKey, Posting
from setia.program.names import Period
from setia.rewards.redemption import Redemption, Taken

KIND: Kind = "redemption"
_LAST = dt.datetime.max.replace(tzinfo=dt.UTC)
GRACE = REFUND_GRACE
"""The name under which the statement shows what was given a new end."""


class Returned(NamedTuple):
    """Postings that bring points back, what they did to the member, and when the first of those lots ends."""

    postings: list[Posting]
    effects: list[PointsEffect]
    ends: dt.datetime | None


def give_back(
    program: CompiledProgram,
    row: Redemption,
    parts: Sequence[Taken],
    source: Account,
    now: dt.datetime,
    terms: CompiledProgram | None = None,
) -> Returned:
    """Bring parts back from `held` or `redeemed`.

    What was redeemed and comes back after its lot has ended is usable for the reward's `refund_grace`. What was only
    held goes back to its lot as it is, and ends with it at the next look: else a hold would make points live longer.
    `terms`: the version under which it was redeemed, which says the grace of a reward that there is no more.
    """
    reward = program.definition.rewards.get(row.reward)
    if reward is None and terms is not None:
        reward = terms.definition.rewards.get(row.reward)
    grace = Period(count=0, unit="days") if reward is None else reward.refund_grace
    found = Returned([], [], None)
    ends = [part.expires_at for part in parts if part.expires_at is not None]
    for part in parts:
        lot = None if part.lot is None else LotKey(*part.lot)
        back = Posting(point_type=part.points, source=source, destination="available", amount=part.amount, lot=lot)
        found.postings.append(back)
        if source == "redeemed":
            found.effects.append(PointsEffect(part.points, part.amount, KIND))
        until, is_new = _new_end(program, part, now, grace)
        if is_new and source == "redeemed":
            found.postings.extend(_anew(part, lot, now, until))
            found.effects.append(PointsEffect(part.points, -part.amount, GRACE))
            found.effects.append(PointsEffect(part.points, part.amount, GRACE))
            ends += [until] if until is not None else []
    return found._replace(effects=_summed(found.effects), ends=min(ends, default=None))


def divided(parts: Sequence[Taken], staying: Mapping[str, int]) -> tuple[list[Taken], list[Taken]]:
    """Parts of which so many points stay spent, and those that come back: what ends last comes back first."""
    left, stays, back = dict(staying), [], []
    for part in sorted(parts, key=lambda part: part.expires_at or _LAST):
        kept = min(part.amount, left.get(part.points, 0))
        left[part.points] = left.get(part.points, 0) - kept
        stays += [msgspec.structs.replace(part, amount=kept)] if kept else []
        back += [msgspec.structs.replace(part, amount=part.amount - kept)] if kept < part.amount else []
    return stays, back


def _new_end(program: CompiledProgram, part: Taken, now: dt.datetime, grace: Period) -> tuple[dt.datetime | None, bool]:
    """When a part ends that comes back into a lot of its own, and whether it does: as its type says, or for a grace."""
    point_type = program.definition.points.get(part.points)
    if part.lot is not None and point_type is not None and point_type.on_refund == "new_lots":
        return program.validity(part.points, now).expires_at, True
    ended = part.expires_at is not None and part.expires_at <= now
    return (after(now, grace, program.zone), True) if ended and grace.count else (None, False)


def _anew(part: Taken, lot: LotKey | None, now: dt.datetime, until: dt.datetime | None) -> list[Posting]:
    """Points leave their ended lot and open another one."""
    return [
        Posting(
            point_type=part.points,
            source="available",
            destination="adjusted",
            amount=part.amount,
            lot=lot,
            campaign=GRACE,
        ),
        Posting(
            point_type=part.points,
            source="adjusted",
            destination="available",
            amount=part.amount,
            campaign=GRACE,
            opens_lot=True,
            earned_at=now,
            expires_at=until,
        ),
    ]


def _summed(effects: Sequence[PointsEffect]) -> list[PointsEffect]:
    """One effect per points, campaign and direction."""
    sums: dict[tuple[str, str, bool], int] = {}
    for effect in effects:
        key = effect.points, effect.campaign, effect.amount > 0
        sums[key] = sums.get(key, 0) + effect.amount
    return [PointsEffect(points, amount, campaign) for (points, campaign, _), amount in sums.items()]
