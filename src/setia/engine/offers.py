"""Offers: instances that members hold, what an event adds to them, and what completes them.

An instance is one assignment, named by its event, or for an offer that everybody has the campaign itself. Its window
judges an event by when it occurred. What has been decided is not decided again: an assignment that arrives late does
not look back at purchases that came before it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from setia.engine.basis import BasisAmounts, basis_amounts
from setia.engine.calendar import after
from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_campaigns import QUANTITY_SCALE, CompiledCampaign
from setia.engine.compiled_offers import CompiledOffer
from setia.engine.considering import Facts, Match, consider
from setia.engine.decision import Considered, OfferChange, OfferStep
from setia.engine.limits import UNLIMITED, Allowance
from setia.engine.occurrences import Occurrence
from setia.engine.state import Counters, MemberState, OfferState
from setia.program.events import ACTIVATED, ASSIGNED
from setia.program.money import MoneyBasis

MOST_AT_ONCE = 1000
"""Completions by one event. What lies beyond stays as progress and counts with the next event."""

Status = Literal["scheduled", "waiting", "running", "completed", "ended"]
Instance = tuple[str, OfferState]


class Instances:
    """The instances that a member holds, by campaign, in the order in which they came. It serves one event."""

    __slots__ = ("_amounts", "_by_campaign")

    def __init__(self, counters: Counters) -> None:
        self._amounts: list[tuple[MoneyBasis, BasisAmounts]] = []
        self._by_campaign: dict[str, list[Instance]] = {}
        for instance, state in counters.offers.items():
            self._by_campaign.setdefault(state.campaign, []).append((instance, state))

    def of(self, offer: CompiledOffer) -> list[Instance]:
        """Those of one offer. Everybody's is one, whether anything was counted for it or not."""
        held = self._by_campaign.get(offer.campaign, [])
        if not offer.everybody:
            return held
        known = next((state for instance, state in held if instance == offer.campaign), None)
        # Its window is that of the campaign as it is now.
        state = OfferState(offer.campaign) if known is None else known
        return [(offer.campaign, msgspec.structs.replace(state, starts=offer.starts, ends=offer.ends))]

    def amounts(self, event: Occurrence, basis: MoneyBasis) -> BasisAmounts:
        """What counts of the event on a basis, worked out once for all offers with it."""
        for known, amounts in self._amounts:
            if known is basis:
                return amounts
        amounts = basis_amounts(event, basis)
        self._amounts.append((basis, amounts))
        return amounts


def status_of(offer: CompiledOffer, state: OfferState, moment: dt.datetime) -> Status:
    """How an instance stands at a moment: only a `running` one counts; a `waiting` one is to be activated."""
    if offer.most is not None and state.completions >= offer.most:
        return "completed"
    if state.starts is not None and moment < state.starts:
        return "scheduled"
    if state.ends is not None and (moment > state.ends or (moment == state.ends and not state.inclusive)):
        return "ended"
    if offer.by_member and (state.activated_at is None or moment < state.activated_at):
        return "waiting"
    return "running"


def consider_offer(
    program: CompiledProgram,
    campaign: CompiledCampaign,
    instances: Instances,
    facts: Facts,
    event: Occurrence,
    here: dt.datetime,
    allowance: Allowance,
) -> Iterator[Match | Considered]:
    """Judge an offer for each of its instances that runs: a match where the event completes it.

    `allowance` is what the campaign's limits leave, for all of its instances together.
    """
    offer, moment = program.offers[campaign.id], event.occurred_at
    running: list[Instance] = []
    status: Status | Literal["unassigned"] = "unassigned"
    for instance, state in instances.of(offer):
        status = status_of(offer, state, moment)
        if status == "running":
            running.append((instance, state))
    if not running:
        yield Considered(campaign.id, "offer", clause=status)
        return
    # Conditions are the same for all instances. Limits are about completions, and are asked when there is one.
    found = consider(campaign, facts, moment, here, UNLIMITED)
    if isinstance(found, Considered):
        yield found
        return
    basis = campaign.definition.basis or program.definition.money
    counts = _Counts(offer, event, found.lines, instances.amounts(event, basis) if offer.kind == "spend" else None)
    for instance, state in running:
        yield _judge(campaign, offer, instance, state, counts, found.lines, allowance)


class _Counts:
    """What one event adds to an offer."""

    __slots__ = ("amount", "items")

    def __init__(
        self, offer: CompiledOffer, event: Occurrence, lines: tuple[int, ...] | None, amounts: BasisAmounts | None
    ) -> None:
        self.items: frozenset[str] = frozenset()
        chosen = [event.lines[index] for index in lines] if lines is not None else event.lines
        self.amount = 0
        if amounts is not None:
            self.amount = amounts.total if lines is None else sum([amounts.lines[index] for index in lines])
        match offer.kind:
            case "units":
                self.amount = sum([int(line.quantity * QUANTITY_SCALE) for line in chosen])
            case "orders":
                self.amount = int(event.type == "purchase")
            case "visits":
                self.amount = int(event.type == "visit")
            case "events":
                self.amount = 1
            case "items":
                self.items = frozenset([line.sku for line in chosen])
                self.amount = 0


def _judge(
    campaign: CompiledCampaign,
    offer: CompiledOffer,
    instance: str,
    state: OfferState,
    counts: _Counts,
    lines: tuple[int, ...] | None,
    allowance: Allowance,
) -> Match | Considered:
    found: tuple[str, ...] = ()
    before = state.progress
    if offer.kind == "items":
        had = set(state.items)
        found = tuple(sku for sku in offer.items if sku in had or sku in counts.items)
        before = sum(sku in had for sku in offer.items)
        added = len(found) - before
    else:
        added = counts.amount
    if added <= 0:
        return Considered(campaign.id, "nothing", offer=OfferStep(instance, before, 0, before, offer.target))
    complete, rest = _completes(offer, before + added)
    left = None if offer.most is None else offer.most - state.completions
    wanted = complete if left is None else min(complete, left)
    if not wanted:
        step = OfferStep(instance, before, added, before + added, offer.target, items=found)
        return Considered(campaign.id, "progress", offer=step)
    completed, cut_by = allowance.use(wanted)
    if not completed:
        # The event does not count for it: the goal stays one event away, and is reached when the limit allows.
        step = OfferStep(instance, before, 0, before, offer.target, wanted=wanted)
        return Considered(campaign.id, "limit", limit=cut_by, offer=step)
    if completed == left:
        rest = 0
    cut = wanted if completed != wanted else None
    step = OfferStep(instance, before, added, rest, offer.target, completed, cut)
    considered = Considered(campaign.id, "matched", limit=cut_by, offer=step)
    return Match(campaign, considered, lines, allowance, times=completed)


def _completes(offer: CompiledOffer, total: int) -> tuple[int, int]:
    """How often a progress completes the offer, and what of it is left for the next time."""
    # It is below nothing while a return has taken back what an earlier completion had needed.
    times = max(0, min(total // offer.target, MOST_AT_ONCE))
    if offer.carry_over:
        return times, total - times * offer.target
    return min(times, 1), 0


def changes(
    program: CompiledProgram, counters: Counters, event: Occurrence, considered: Sequence[Considered]
) -> list[OfferChange]:
    """What an event does to a member's offers: those it counts for, then those it assigns or activates."""
    found = []
    instances = Instances(counters)
    for one in considered:
        step = one.offer
        # What completed an offer and then gave nothing, or lost against another campaign, has not happened.
        if step is not None and one.verdict in {"progress", "matched"}:
            offer = program.offers[one.campaign]
            [state] = [state for instance, state in instances.of(offer) if instance == step.instance]
            after_it = msgspec.structs.replace(
                state,
                progress=step.after,
                items=step.items,
                completions=state.completions + step.completed,
                completed_at=event.occurred_at if step.completed else state.completed_at,
            )
            found.append(OfferChange("counted", step.instance, after_it, step.target, step.added, step.completed))
    if event.type == ASSIGNED:
        found += _assigned(program, event)
    elif event.type == ACTIVATED:
        found += _activated(program, instances, event)
    return found


def _assigned(program: CompiledProgram, event: Occurrence) -> Iterator[OfferChange]:
    """The instance that an assignment begins. An event kept for a while may name an offer that is gone."""
    offer = program.offers.get(str(event.data.get("offer")))
    if offer is None or offer.everybody:
        return
    starts = moment_of(event.data.get("starts")) or event.occurred_at
    ends = moment_of(event.data.get("ends"))
    if ends is None:
        ends = offer.ends if offer.valid_for is None else after(starts, offer.valid_for, program.zone)
    state = OfferState(offer.campaign, starts, ends, inclusive=offer.inclusive)
    yield OfferChange("assigned", event.id, state, offer.target)


def _activated(program: CompiledProgram, instances: Instances, event: Occurrence) -> Iterator[OfferChange]:
    """The instances that a member says yes to: one by its id, or all of an offer. What has ended stays ended."""
    wanted, campaign = event.data.get("instance"), event.data.get("offer")
    for offer in program.offers.values():
        if campaign is not None and offer.campaign != campaign:
            continue
        for instance, state in instances.of(offer):
            if (wanted is None or instance == wanted) and can_activate(offer, state, event.occurred_at):
                active = msgspec.structs.replace(state, activated_at=event.occurred_at)
                yield OfferChange("activated", instance, active, offer.target)


def can_activate(offer: CompiledOffer, state: OfferState, moment: dt.datetime) -> bool:
    """Whether an instance waits for its member at a moment, or will once it has begun."""
    return (
        offer.by_member and state.activated_at is None and status_of(offer, state, moment) in {"waiting", "scheduled"}
    )


def moment_of(text: object) -> dt.datetime | None:
    """A moment in the data of an event, UTC. The way in has checked it."""
    return None if text is None else dt.datetime.fromisoformat(str(text)).astimezone(dt.UTC)


class Held(msgspec.Struct, frozen=True):
    """One instance as it stands at a moment."""

    instance: str
    offer: CompiledOffer
    state: OfferState
    status: Status


def held(program: CompiledProgram, state: MemberState, moment: dt.datetime) -> list[Held]:
    """All instances of a member at a moment: those of the program's offers, in its order.

    What ended so long ago that no event can count for it any more may be missing.
    """
    instances = Instances(state.counters)
    found = [
        Held(instance, offer, one, status_of(offer, one, moment))
        for offer in program.offers.values()
        for instance, one in instances.of(offer)
    ]
    # What everybody had, and this member never began, is nobody's any more.
    return [one for one in found if one.status != "ended" or one.instance in state.counters.offers]


def open_ends(program: CompiledProgram, state: MemberState, since: dt.datetime) -> list[tuple[dt.datetime, str, str]]:
    """The ends to come of instances that are not completed, the first one first: (end, instance, campaign).

    For triggers of time, such as a reminder before an offer ends. At the end itself nothing has to be booked: windows
    are judged when they are read.
    """
    return sorted(
        (one.state.ends, one.instance, one.offer.campaign)
        for one in held(program, state, since)
        if one.state.ends is not None and one.status not in {"completed", "ended"}
    )
