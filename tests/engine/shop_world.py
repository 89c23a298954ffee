"""A member, events and programs for the tests of the engine: short to write, and nothing left to chance."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from setia.engine.compiled import CompiledProgram, compile_program
from setia.engine.counting import recount
from setia.engine.decide import decide
from setia.engine.decision import Considered, Decision, Outcome, PointsEffect
from setia.engine.occurrences import Line, Occurrence, Tender
from setia.engine.state import Balance, Budgets, Counters, MemberState
from setia.program.yaml_text import load

NOON = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
"""A Wednesday; 13:00 in Berlin."""
ENROLLED = dt.datetime(2026, 1, 1, 9, 0, tzinfo=dt.UTC)
_HEAD = "program: {{id: shop, name: Shop, timezone: {zone}, currency: {currency}}}\n"


def program(
    text: str, *, points: str = "{stars: {}}", zone: str = "Europe/Berlin", currency: str = "EUR"
) -> CompiledProgram:
    """A compiled program; `text` is YAML, of which the head and the point types may be left out."""
    if not text.startswith("program:"):
        text = _HEAD.format(zone=zone, currency=currency) + text
    if "\npoints:" not in text:
        text += f"\npoints: {points}\n"
    return compile_program(load(text).require(), 1)


def campaigns(text: str, **settings: str) -> CompiledProgram:
    """A program with the campaigns in `text`: YAML, one `name: {...}` on each line."""
    return program("campaigns:\n" + "\n".join(f"  {line.strip()}" for line in text.strip().splitlines()), **settings)


def line(amount: int, sku: str = "A", quantity: str = "1", **more: Any) -> Line:
    return Line(sku=sku, quantity=Decimal(quantity), amount=amount, **more)


def purchase(
    *lines: Line | int, at: dt.datetime = NOON, tenders: tuple[tuple[str, int], ...] = (), **more: Any
) -> Occurrence:
    """A purchase; a line may be given as what it cost in cents."""
    parts = tuple(part if isinstance(part, Line) else line(part) for part in lines)
    paid = tuple(Tender(*tender) for tender in tenders)
    return happening("purchase", at=at, lines=parts, tenders=paid, **{"currency": "EUR", **more})


def happening(kind: str, at: dt.datetime = NOON, **more: Any) -> Occurrence:
    return Occurrence(id="evt_1", type=kind, source="till", external_id="1", occurred_at=at, **more)


def member(
    *,
    balances: dict[str, int] | None = None,
    counters: Counters | None = None,
    enrolled_at: dt.datetime = ENROLLED,
    **more: Any,
) -> MemberState:
    return MemberState(
        id="mem_1",
        enrolled_at=enrolled_at,
        counters=Counters() if counters is None else counters,
        balances={name: Balance(available=amount) for name, amount in (balances or {}).items()},
        **more,
    )


def decided(
    compiled: CompiledProgram,
    event: Occurrence,
    state: MemberState | None = None,
    *,
    now: dt.datetime | None = None,
    budgets: Budgets | None = None,
) -> Decision:
    """The decision on an event that arrives when it happens, unless `now` says otherwise."""
    return decide(compiled, state or member(), event, now or event.occurred_at, budgets)


def granted(decision: Decision) -> dict[str, int]:
    """The points by campaign; of one point type, or of all together."""
    sums: dict[str, int] = {}
    for effect in decision.outcome.points:
        sums[effect.campaign] = sums.get(effect.campaign, 0) + effect.amount
    return sums


def total(decision: Decision, points: str = "stars") -> int:
    return sum(effect.amount for effect in decision.outcome.points if effect.points == points)


def effect_of(decision: Decision, campaign: str) -> PointsEffect:
    [effect] = [effect for effect in decision.outcome.points if effect.campaign == campaign]
    return effect


def considered(decision: Decision, campaign: str) -> Considered:
    [found] = [found for found in decision.explanation.considered if found.campaign == campaign]
    return found


def verdicts(decision: Decision) -> dict[str, str]:
    return {found.campaign: found.verdict for found in decision.explanation.considered}


def at(text: str) -> dt.datetime:
    """A moment with its offset, such as `2026-03-29T01:30+01:00`."""
    moment = dt.datetime.fromisoformat(text)
    assert moment.tzinfo is not None
    return moment


def counted(
    compiled: CompiledProgram,
    counters: Counters,
    outcome: Outcome,
    moment: dt.datetime,
    enrolled_at: dt.datetime = ENROLLED,
) -> Counters:
    """The counters after an outcome that the journal keeps, as a rebuild counts them."""
    return recount(compiled, counters, "event", outcome, moment, moment, enrolled_at)
