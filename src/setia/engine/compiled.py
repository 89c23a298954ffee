"""A program made ready to decide: expressions compiled, rates as whole numbers, campaigns by event type.

It is made once per version and shared by every decision.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from setia.engine.calendar import after, expires_at
from setia.engine.candidates import INDEXED_FROM, Candidates
from setia.engine.compiled_campaigns import CompiledCampaign, compile_campaign
from setia.engine.compiled_tiers import CompiledTierSet, Measure, compile_tier_set
from setia.engine.state import Counters
from setia.program.currencies import minor_digits
from setia.program.definition import Program
from setia.program.events import BUILT_IN_EVENTS
from setia.program.limits import Limit
from setia.program.points import Rounding

_ROOTS = ("event", "member", "location", "time")
_MOST_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class TriggerPlan:
    """The campaigns that one type of event can start, in the order in which they are evaluated."""

    campaigns: tuple[CompiledCampaign, ...]
    inputs: tuple[tuple[str, int, tuple[str, ...]], ...]
    """What the conditions read, for the explanation: (path, place of its root among the facts, fields)."""
    rivals: bool
    """Whether campaigns can keep each other out."""
    acts: bool
    """Whether any does more than earn and multiply."""
    budgets: tuple[tuple[CompiledCampaign, str], ...] = ()
    """The limits over all members, with their campaigns."""
    candidates: Candidates | None = None
    """The index over the campaigns, where there are many."""
    promotions: tuple[CompiledCampaign, ...] = ()
    """The campaigns that take something off the order, in the order in which they do."""


@dataclass(frozen=True, slots=True)
class CompiledProgram:
    """A program version, ready to decide. Immutable; safe to share between threads."""

    definition: Program
    version: int
    zone: ZoneInfo
    currency_digits: int
    point_digits: dict[str, int]
    units: dict[str, int]
    """Point type -> how many smallest units one whole point has."""
    plans: dict[str, TriggerPlan]
    tier_sets: tuple[CompiledTierSet, ...]
    first_levels: dict[str, str]
    roundings: dict[str, Rounding]
    has_budgets: bool
    attribute_types: dict[str, str]
    """The attributes that expressions may read, and their types."""
    measures: dict[str, Measure]
    """What has to be counted for tiers: key -> metric in a window."""
    limits: dict[str, tuple[str, Limit]]
    """Limit key -> (campaign, limit)."""
    limits_of: dict[str, tuple[tuple[str, Limit], ...]]
    """Campaign -> its limits with their keys."""
    inactive: dict[str, frozenset[str]]
    """Point type that ends by inactivity -> the events that count as activity; none means all of them."""
    tracking: str
    """A digest of what counters depend on. Counters made under another one are counted again from history."""

    _validities: dict[tuple[str, dt.date], dt.datetime | None] = field(default_factory=dict, compare=False)

    def validity(self, points: str, now: dt.datetime) -> tuple[dt.datetime | None, dt.datetime | None]:
        """When points earned now can be used (None: at once) and when they end (None: never)."""
        point_type = self.definition.points[points]
        expiry = point_type.expiry
        if point_type.available_after is None:
            if expiry.after is None and not expiry.on:
                return None, None
            available_at = None
        else:
            available_at = after(now, point_type.available_after, self.zone)
        start = available_at or now
        if expiry.after is not None and expiry.after.unit in {"minutes", "hours"}:
            return available_at, expires_at(start, expiry, self.zone)
        # All points of a type that begin on one local day end together, and time zones are the dearest arithmetic here.
        day = start.astimezone(self.zone).date()
        ends = self._validities.get((points, day), start)
        if ends is start:
            if len(self._validities) > _MOST_REMEMBERED:
                self._validities.clear()
            ends = self._validities[points, day] = expires_at(start, expiry, self.zone)
        return available_at, ends

    def budgets_at(self, event_type: str, moment: dt.datetime) -> list[str]:
        """The keys of the budgets over all members that an event of this type at this moment may use."""
        plan = self.plans.get(event_type)
        return [] if plan is None else [key for campaign, key in plan.budgets if campaign.runs_at(moment)]

    def extended_by(self, event_type: str) -> list[str]:
        """The point types that end by inactivity and live longer by this event."""
        if not self.inactive:
            return []
        return [points for points, events in self.inactive.items() if not events or event_type in events]

    def levels_of(self, counters: Counters) -> dict[str, str]:
        """The level that a member holds in each tier set."""
        held = counters.tiers
        return {tier_set.id: tier_set.levels[tier_set.index(held.get(tier_set.id))].id for tier_set in self.tier_sets}


def compile_program(definition: Program, version: int) -> CompiledProgram:
    """Make `definition` ready to decide.

    Raises:
        ExpressionError: an expression does not compile. `setia.program.lint` finds it first, with its place.
    """
    digits = minor_digits(definition.program.currency)
    point_digits = {name: point_type.decimals for name, point_type in definition.points.items()}
    limits = {
        f"{name}#{place}": (name, limit)
        for name, campaign in definition.campaigns.items()
        for place, limit in enumerate(campaign.limits)
    }
    tier_sets = tuple(compile_tier_set(tier_set, digits, point_digits) for tier_set in definition.tiers)
    measures = {
        measure.key: measure for tier_set in tier_sets for measure in tier_set.measures if not measure.of_balance
    }
    return CompiledProgram(
        definition=definition,
        version=version,
        zone=ZoneInfo(definition.program.timezone),
        currency_digits=digits,
        point_digits=point_digits,
        units={name: 10**decimals for name, decimals in point_digits.items()},
        plans=_plans(definition),
        tier_sets=tier_sets,
        first_levels={tier_set.id: tier_set.levels[0].id for tier_set in tier_sets},
        roundings={name: point_type.rounding for name, point_type in definition.points.items()},
        has_budgets=any(limit.per == "all" for _, limit in limits.values()),
        attribute_types={
            name: attribute.type for name, attribute in definition.members.attributes.items() if not attribute.personal
        },
        measures=measures,
        limits=limits,
        limits_of={
            name: tuple((f"{name}#{place}", limit) for place, limit in enumerate(campaign.limits))
            for name, campaign in definition.campaigns.items()
        },
        inactive={
            name: frozenset(point_type.expiry.extended_by)
            for name, point_type in definition.points.items()
            if point_type.expiry.inactivity is not None
        },
        tracking=_tracking(definition, measures, limits),
    )


def _plans(definition: Program) -> dict[str, TriggerPlan]:
    plans: dict[str, TriggerPlan] = {}
    for trigger in (*BUILT_IN_EVENTS, *definition.events):
        compiled = [
            compile_campaign(definition, name, campaign, trigger)
            for name, campaign in definition.campaigns.items()
            if campaign.enabled and trigger in campaign.triggers
        ]
        campaigns = tuple(campaign for campaign in compiled if campaign.definition.discount is None)
        # `sorted` keeps the order of the definition among equals.
        promotions = sorted(
            (campaign for campaign in compiled if campaign.definition.discount is not None),
            key=lambda campaign: -campaign.definition.priority,
        )
        inputs = sorted({path for campaign in campaigns for path in campaign.inputs})
        plans[trigger] = TriggerPlan(
            campaigns,
            tuple((path, _ROOTS.index(path.split(".")[0]), tuple(path.split(".")[1:])) for path in inputs),
            rivals=any(campaign.definition.group or campaign.definition.exclusive for campaign in campaigns),
            acts=any(campaign.acts or campaign.deducts for campaign in campaigns),
            budgets=tuple(
                (campaign, f"{campaign.id}#{place}")
                for campaign in compiled
                for place, limit in enumerate(campaign.definition.limits)
                if limit.per == "all"
            ),
            candidates=Candidates(campaigns) if len(campaigns) >= INDEXED_FROM else None,
            promotions=tuple(promotions),
        )
    return plans


def _tracking(definition: Program, measures: Iterable[str], limits: dict[str, tuple[str, Limit]]) -> str:
    parts = {
        "zone": definition.program.timezone,
        "late": str(definition.late.accept_within),
        "windows": sorted(measures),
        "judged_at_once": [
            tier_set.model_dump_json() for tier_set in definition.tiers if tier_set.on_change == "at_once"
        ],
        "limits": sorted((key, limit.model_dump_json()) for key, (_, limit) in limits.items()),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
