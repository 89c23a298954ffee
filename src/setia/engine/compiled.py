"""A program made ready to decide: expressions compiled, rates as whole numbers, campaigns by event type.

It is made once per version and shared by every decision.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

from setia.engine.calendar import after, expires_at
from setia.engine.candidates import INDEXED_FROM, Candidates
from setia.engine.caps import caps_by_points, limits_of
from setia.engine.compiled_campaigns import CompiledCampaign, compile_campaign
from setia.engine.compiled_moving import CompiledExchange, CompiledTransfer, compile_exchanges, compile_transfers
from setia.engine.compiled_offers import CompiledOffer, compile_offer
from setia.engine.compiled_rewards import CompiledReward, compile_rewards
from setia.engine.compiled_tiers import CompiledTierSet, Measure, compile_measure, compile_tier_set, window_key
from setia.engine.compiled_triggers import TimeTriggers, compile_triggers
from setia.engine.state import Counters
from setia.engine.velocity import Rule, compile_velocity
from setia.program.campaigns import Campaign
from setia.program.currencies import minor_digits
from setia.program.definition import Program
from setia.program.events import OFFER_EVENTS
from setia.program.expiry import Expiry
from setia.program.limits import Limit
from setia.program.names import Period
from setia.program.points import PointType, Rounding

_ROOTS = ("event", "member", "location", "time")
_MOST_REMEMBERED = 4096
_NONE: Mapping[str, str] = MappingProxyType({})


class Validity(NamedTuple):
    """From when points can be used (None: at once, or no moment) and when they end (None: never)."""

    available_at: dt.datetime | None
    expires_at: dt.datetime | None
    waits_for: str | None
    """The event that makes them available, if they wait for one."""


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
    offers: bool = False
    """Whether any has a goal to reach first, or the event itself is about offers."""
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
    sums: dict[str, Measure]
    """What expressions may ask for by name."""
    limits: dict[str, tuple[str, Limit]]
    """Limit key -> (campaign, limit)."""
    limits_of: dict[str, tuple[tuple[str, Limit], ...]]
    """Campaign -> its limits with their keys."""
    offers: dict[str, CompiledOffer]
    """Campaign -> what completes it, for campaigns that are offers and not switched off."""
    inactive: dict[str, frozenset[str]]
    """Point type that ends by inactivity -> the events that count as activity; none means all of them."""
    graces: tuple[Period, ...]
    """How long levels stay after reviews that were not passed."""
    heeds_balances: bool
    """Whether anything that becomes due depends on points held, other than lots."""
    tracking: str
    """What counters depend on, and behind it the tier sets that are judged at once by new settings: digests.

    Counters made under another one are counted again from history.
    """

    watched: frozenset[str]
    """The events that pending points wait for, or that take them back."""
    by_tier: bool
    """Whether some points last longer for some levels."""
    time: TimeTriggers
    rewards: dict[str, CompiledReward]
    velocity: dict[str, tuple[Rule, ...]]
    """What may happen only so often, by what is counted: an event's type, `by_hand` or `redemption`."""
    transfers: dict[str, CompiledTransfer]
    exchanges: dict[str, CompiledExchange]

    _own_expiry: dict[str, Expiry]
    """Campaign -> when its points end, where it says so itself."""
    _validities: dict[tuple[str, str, Period | None, dt.date], dt.datetime | None] = field(
        default_factory=dict, compare=False
    )
    _latest: list[tuple[dt.datetime | None, dict[tuple[str, str], Validity]]] = field(
        default_factory=lambda: [(None, {})], compare=False
    )
    period_ends: dict[tuple[str, dt.datetime, dt.datetime], dt.datetime | None] = field(
        default_factory=dict, compare=False
    )
    """What `engine.periods` has worked out: tier set, since when, enrolled when -> until when."""
    phrases: dict[tuple[str | bool | None, ...], str] = field(default_factory=dict, compare=False)
    """What `engine.sentences` has written so far and only wants its numbers."""

    def validity(
        self, points: str, now: dt.datetime, campaign: str = "", levels: Mapping[str, str] = _NONE
    ) -> Validity:
        """When points that a campaign gives now can be used and when they end.

        `levels` are those held now (tier set -> level), for an expiry by tier. Points that wait for an event alone may
        be used at any time from now, so their length is counted from now.
        """
        if levels:
            return self._validity(points, now, campaign, levels)
        # The events of a batch arrive at one moment: what was found for it is known by the moment's identity.
        moment, known = self._latest[0]
        if moment is not now:
            known = {}
            self._latest[0] = (now, known)
        found = known.get((points, campaign))
        if found is None:
            found = known[points, campaign] = self._validity(points, now, campaign, levels)
        return found

    def _validity(self, points: str, now: dt.datetime, campaign: str, levels: Mapping[str, str]) -> Validity:
        waiting = self.waits_for(points, campaign)
        delay, awaited = (None, None) if waiting is None else waiting
        available_at = None if delay is None else after(now, delay, self.zone)
        expiry = self.expiry_of(points, campaign)
        if not expiry.by_calendar:
            return Validity(available_at, None, awaited)
        start = available_at or now
        length = expiry.length_for(levels)
        if length is not None and length.unit in {"minutes", "hours"}:
            return Validity(available_at, expires_at(start, expiry, self.zone, levels), awaited)
        # All points of a rule that begin on one local day end together, and time zones are the dearest arithmetic here.
        known = (points, campaign if campaign in self._own_expiry else "", length, start.astimezone(self.zone).date())
        ends = self._validities.get(known, start)
        if ends is start:
            if len(self._validities) > _MOST_REMEMBERED:
                self._validities.clear()
            ends = self._validities[known] = expires_at(start, expiry, self.zone, levels)
        return Validity(available_at, ends, awaited)

    def expiry_of(self, points: str, campaign: str) -> Expiry:
        """When points that a campaign gives end: as the campaign says, else as their type does."""
        own = self._own_expiry.get(campaign)
        if own is None or not self.definition.points[points].in_lots:
            return self.definition.points[points].expiry
        return own

    def waits_for(self, points: str, campaign: str) -> tuple[Period | None, str | None] | None:
        """How long points that a campaign gives are pending, and until which event; None where they are not.

        A campaign that says one of the two says both: its type's are then not asked. Points of a type the program no
        longer has wait for nothing.
        """
        point_type = self.definition.points.get(points)
        if point_type is None:
            return None
        own = self.definition.campaigns.get(campaign)
        part: Campaign | PointType = point_type
        if own is not None and (own.available_after, own.available_on) != (None, None) and point_type.in_lots:
            part = own
        delay, awaited = part.available_after, part.available_on
        if delay is not None and not delay.count:
            delay = None
        return None if delay is None and awaited is None else (delay, awaited)

    def budgets_at(self, event_type: str, moment: dt.datetime) -> list[str]:
        """The keys of the budgets over all members that an event of this type at this moment may use."""
        plan = self.plans.get(event_type)
        return [] if plan is None else [key for campaign, key in plan.budgets if campaign.runs_at(moment)]

    def changed_since(self, tracking: str) -> list[CompiledTierSet]:
        """The tier sets that are judged at once, and whose settings are not those that `tracking` was made under."""
        before, now = set(tracking.split()[1:]), self.tracking.split()[1:]
        changed = {one.partition(":")[0] for one in now if one not in before}
        return [tier_set for tier_set in self.tier_sets if tier_set.id in changed]

    def counted_anew(self, tracking: str) -> str:
        """What to keep for counters that have been counted anew, while their levels are still to be judged."""
        return " ".join([self.tracking.split()[0], *tracking.split()[1:]])

    def levels_of(self, counters: Counters) -> dict[str, str]:
        """The level that a member holds in each tier set."""
        held = counters.tiers
        return {tier_set.id: tier_set.levels[tier_set.index(held.get(tier_set.id))].id for tier_set in self.tier_sets}


def compile_program(
    definition: Program, version: int, since: Mapping[str, dt.datetime] = MappingProxyType({})
) -> CompiledProgram:
    """Make `definition` ready to decide. `since` is when each of its triggers of time went live, for ever by default.

    Raises:
        ExpressionError: an expression does not compile. `setia.program.lint` finds it first, with its place.
    """
    digits = minor_digits(definition.program.currency)
    point_digits = {name: point_type.decimals for name, point_type in definition.points.items()}
    caps = caps_by_points(definition)
    limits_by_campaign = {name: limits_of(name, campaign, caps) for name, campaign in definition.campaigns.items()}
    limits = {key: (name, limit) for name, own in limits_by_campaign.items() for key, limit in own}
    tier_sets = tuple(compile_tier_set(tier_set, digits, point_digits) for tier_set in definition.tiers)
    sums = {
        name: compile_measure(window_key(one.metric, one.window), one.metric, one.window, digits, point_digits)
        for name, one in definition.sums.items()
    }
    counted = [measure for tier_set in tier_sets for measure in tier_set.measures if not measure.of_balance]
    measures = {measure.key: measure for measure in (*counted, *sums.values())}
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
        sums=sums,
        limits=limits,
        limits_of=limits_by_campaign,
        offers={
            name: compile_offer(definition, name, campaign.offer)
            for name, campaign in definition.campaigns.items()
            if campaign.offer is not None and campaign.enabled
        },
        heeds_balances=_heeds_balances(definition, tier_sets),
        inactive={
            name: frozenset(point_type.expiry.extended_by)
            for name, point_type in definition.points.items()
            if point_type.expiry.inactivity is not None
        },
        graces=tuple(tier_set.grace for tier_set in definition.tiers if tier_set.grace is not None),
        tracking=_tracking(definition, measures, limits),
        watched=_watched(definition),
        time=compile_triggers(definition, since),
        rewards=compile_rewards(
            definition,
            ZoneInfo(definition.program.timezone),
            {name: 10**decimals for name, decimals in point_digits.items()},
            digits,
        ),
        transfers=compile_transfers(definition, {name: 10**decimals for name, decimals in point_digits.items()}),
        exchanges=compile_exchanges(definition, {name: 10**decimals for name, decimals in point_digits.items()}),
        velocity=compile_velocity(definition, {name: 10**decimals for name, decimals in point_digits.items()}),
        by_tier=any(part.expiry is not None and part.expiry.by_tier for part in _parts(definition)),
        _own_expiry={
            name: campaign.expiry for name, campaign in definition.campaigns.items() if campaign.expiry is not None
        },
    )


def _parts(definition: Program) -> tuple[Campaign | PointType, ...]:
    return (*definition.points.values(), *definition.campaigns.values())


def _watched(definition: Program) -> frozenset[str]:
    awaited = {part.available_on for part in _parts(definition)}
    cancelling = {point_type.cancel_on for point_type in definition.points.values()}
    return frozenset(event for event in awaited | cancelling if event is not None)


def _heeds_balances(definition: Program, tier_sets: Iterable[CompiledTierSet]) -> bool:
    return (
        any(tier_set.by_balance for tier_set in tier_sets)
        or any(point_type.expiry.inactivity is not None for point_type in definition.points.values())
        or bool(definition.triggers)
    )


def _plans(definition: Program) -> dict[str, TriggerPlan]:
    plans: dict[str, TriggerPlan] = {}
    for trigger in definition.event_names:
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
            acts=any(campaign.acts or campaign.deducts or campaign.definition.coupon for campaign in campaigns),
            budgets=tuple(
                (campaign, f"{campaign.id}#{place}")
                for campaign in compiled
                for place, limit in enumerate(campaign.definition.limits)
                if limit.per == "all"
            ),
            candidates=Candidates(campaigns) if len(campaigns) >= INDEXED_FROM else None,
            offers=trigger in OFFER_EVENTS or any(campaign.definition.offer is not None for campaign in campaigns),
            promotions=tuple(promotions),
        )
    return plans


def _tracking(definition: Program, measures: Iterable[str], limits: dict[str, tuple[str, Limit]]) -> str:
    parts = {
        "zone": definition.program.timezone,
        "late": str(definition.late.accept_within),
        "windows": sorted(measures),
        # Which of two levels is the higher one: what a member has risen past is kept with the period.
        "ladders": [[tier_set.id, [level.id for level in tier_set.levels]] for tier_set in definition.tiers],
        "graces": sorted(str(tier_set.grace) for tier_set in definition.tiers if tier_set.grace is not None),
        "limits": sorted((key, limit.model_dump_json()) for key, (_, limit) in limits.items()),
    }
    at_once = [
        f"{tier_set.id}:{_digest(tier_set.model_dump_json())[:8]}"
        for tier_set in definition.tiers
        if tier_set.on_change == "at_once"
    ]
    return " ".join([_digest(json.dumps(parts, sort_keys=True))[:16], *at_once])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
