"""What holds for every program, member and history."""

from __future__ import annotations

import copy
import datetime as dt
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine.shop_world import ENROLLED, NOON, campaigns, counted, decided, happening, program, total
from program.strategies import programs
from setia.engine.compiled import CompiledProgram, compile_program
from setia.engine.decision import Decision, Explanation, Outcome
from setia.engine.occurrences import Line, Occurrence, Tender
from setia.engine.sentences import sentences
from setia.engine.state import Balance, Budgets, Counters, MemberState
from setia.program.definition import Program

# Drawing and compiling a whole program takes tens of milliseconds.
few = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

# -------------------------------------------------------------------------------------------------------- strategies

moments = st.integers(0, 400 * 24 * 60).map(lambda minutes: NOON + dt.timedelta(minutes=minutes))
lines = st.builds(
    lambda sku, quantity, amount, tax, discount, category, labels: Line(
        sku, Decimal(quantity).scaleb(-3), amount, amount * tax // 130, discount, "", category, "", labels
    ),
    st.sampled_from(["A", "B", "C"]),
    st.integers(1, 5000),
    st.integers(0, 20_000),
    st.integers(0, 25),
    st.integers(0, 500),
    st.sampled_from(["", "coffee", "tea"]),
    st.sampled_from([(), ("gift_card",), ("iced",)]),
)


@st.composite
def purchases(draw: st.DrawFn) -> Occurrence:
    parts = tuple(draw(st.lists(lines, max_size=4)))
    goods = sum(part.amount for part in parts)
    discount = draw(st.integers(0, goods))
    shipping = draw(st.integers(0, 999))
    by_points = draw(st.just(0) | st.integers(0, goods - discount + shipping))
    return Occurrence(
        id="evt_1",
        type="purchase",
        source="till",
        external_id="1",
        occurred_at=draw(moments),
        currency="EUR",
        channel=draw(st.sampled_from(["app", "web"])),
        lines=parts,
        tenders=(Tender("points", by_points),) if by_points else (),
        shipping=shipping,
        shipping_tax=shipping // 10,
        discount=discount,
    )


visits = st.builds(lambda moment: happening("visit", at=moment), moments)
events = purchases() | visits | st.builds(lambda moment: happening("member_enrolled", at=moment), moments)
histories = st.lists(events, min_size=1, max_size=8)


def new_member() -> MemberState:
    return MemberState(id="mem_1", enrolled_at=ENROLLED)


def book(state: MemberState, budgets: Budgets, decision: Decision) -> None:
    """What booking does with a decision: the counters replace the old ones, points and budgets move."""
    state.counters = decision.counters
    outcome = decision.outcome
    for effect in outcome.points:
        balance = state.balances.setdefault(effect.points, Balance())
        if effect.available_at is None:
            balance.available += effect.amount
        else:
            balance.pending += effect.amount
    state.attributes = state.attributes | outcome.attributes
    state.tags = (*(tag for tag in state.tags if tag not in outcome.tags_removed), *outcome.tags_added)
    for key, periods in decision.budget_uses.items():
        used = budgets.used.setdefault(key, {})
        for period, amount in periods.items():
            used[period] = used.get(period, 0) + amount


def json_again(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value), type=type(value))


# -------------------------------------------------------------------------------------------------- of every program


@few
@given(programs(), histories)
def test_every_decision_keeps_the_laws(definition: Program, history: list[Occurrence]) -> None:
    compiled = compile_program(definition, 1)
    state, budgets, rebuilt = new_member(), Budgets(), Counters()
    for event in history:
        before = copy.deepcopy((state, event, budgets))
        decision = decided(compiled, event, state, budgets=budgets)

        # pure: nothing given is changed, and the same again gives the same, also after a way through JSON
        assert (state, event, budgets) == before
        assert decided(compiled, event, json_again(state), budgets=budgets) == decision

        check_amounts(decision)
        check_tiers(compiled, state, decision)
        check_stored(compiled, decision)
        outcome = json_again(decision.outcome)
        rebuilt = counted(compiled, rebuilt, outcome, event.occurred_at)
        assert rebuilt == decision.counters
        book(state, budgets, decision)
        check_limits(compiled, state, budgets)


def check_amounts(decision: Decision) -> None:
    for effect in decision.outcome.points:
        parts = sum(effect.by_line.values())
        assert all(amount > 0 for amount in effect.by_line.values())
        if effect.amount > 0:
            # what belongs to no line belongs to the event as a whole
            assert 0 <= parts <= effect.amount
            assert not effect.by_line or parts == effect.amount
        if effect.wanted is not None:
            assert abs(effect.amount) < abs(effect.wanted)
    for considered in decision.explanation.considered:
        for step in considered.arithmetic:
            assert step.granted <= step.wanted
            assert (step.cut_by is None) == (step.granted == step.wanted)
        if considered.verdict == "error":
            assert considered.campaign not in decision.outcome.uses
            assert not any(effect.campaign == considered.campaign for effect in decision.outcome.points)
    matched = [found.campaign for found in decision.explanation.considered if found.verdict == "matched"]
    assert sorted(decision.outcome.uses) == sorted(matched)


def check_tiers(compiled: CompiledProgram, state: MemberState, decision: Decision) -> None:
    before, after = compiled.levels_of(state.counters), compiled.levels_of(decision.counters)
    for tier_set in compiled.tier_sets:
        name = tier_set.definition.id
        changes = [change for change in decision.outcome.tiers if change.tier_set == name]
        assert [before[name], *(change.after for change in changes)] == [
            *(change.before for change in changes),
            after[name],
        ]
        if all(change.campaign is None for change in changes) and not tier_set.is_current:
            assert tier_set.index(after[name]) >= tier_set.index(before[name])


def check_stored(compiled: CompiledProgram, decision: Decision) -> None:
    assert json_again(decision.outcome) == decision.outcome
    assert json_again(decision.explanation) == decision.explanation
    assert json_again(decision.counters) == decision.counters
    for locale in ("en", "de", "ms"):
        told = sentences(compiled, decision.outcome, decision.explanation, locale)
        done = decision.outcome
        effects = [*done.points, *done.tiers, *done.attributes, *done.tags_added, *done.tags_removed, *done.custom]
        # An offer that is completed and begins again with something has a sentence for each.
        assert len(done.offers) <= len(told) - len(effects) <= 2 * len(done.offers)


def check_limits(compiled: CompiledProgram, state: MemberState, budgets: Budgets) -> None:
    for key, (_, limit) in compiled.limits.items():
        used = budgets.used if limit.per == "all" else state.counters.limits
        for amount in used.get(key, {}).values():
            if limit.earn is not None:
                assert amount <= int(limit.earn.amount * 10 ** compiled.point_digits[limit.earn.points])
            else:
                assert limit.uses is not None
                assert amount <= limit.uses


@few
@given(programs(), histories)
def test_a_campaign_that_cannot_match_changes_nothing_but_the_explanation(
    definition: Program, history: list[Occurrence]
) -> None:
    assume("idle_one" not in definition.campaigns)
    data = definition.model_dump(mode="json", by_alias=True)
    points = next(iter(data["points"]))
    idle = {"on": ["purchase", "visit"], "when": "false", "exclusive": True, "earn": {points: 1000}}
    other = Program.model_validate({**data, "campaigns": {"idle_one": idle, **data["campaigns"]}})
    one, two = compile_program(definition, 1), compile_program(other, 1)
    state = new_member()
    for event in history:
        first, second = decided(one, event, state), decided(two, event, state)
        assert second.outcome == first.outcome
        assert second.counters == first.counters
        left = [found for found in second.explanation.considered if found.campaign != "idle_one"]
        assert left == first.explanation.considered
        book(state, Budgets(), first)


# -------------------------------------------------------------------------------------------------- of one rich program

RICH = """
points: {stars: {}, cash: {decimals: 2, rounding: {mode: half_even, scope: event}}}
late: {accept_within: 500d}
tiers:
  - {id: t, metric: spend, window: rolling 60d, levels: [{id: l0, from: 0}, {id: l1, from: 100}, {id: l2, from: 300}]}
  - {id: u, metric: points.stars.earned, window: calendar_year, levels: [{id: m0, from: 0}, {id: m1, from: 50}]}
campaigns:
  base: {on: purchase, earn: {stars: 1 per 1.00, cash: 0.013 per 1.00}, limits: [{every: day,
      earn: 90 stars}, {every: month, in_all: 700 stars}]}
  tea: {on: purchase, lines: 'line.category == "tea"', earn: {stars: 2 per unit, cash: 0.5 per line},
      limits: [{every: week, uses: 2}]}
  gold: {on: purchase, when: 'member.tiers.t != "l0"', multiply: {of: all, by: 1.3},
      limits: [{every: quarter, earn: 40 stars}]}
  app: {on: purchase, when: 'event.channel == "app"', multiply: {of: [base, tea], by: 2.5, points: [stars]},
      limits: [{in_all: 9 uses}]}
  come: {on: visit, earn: {stars: 5}, limits: [{every: day, uses: 1}]}
  fee: {on: visit, deduct: {stars: 3}}
"""
KINDS = ("sum_of_bonuses", "product", "best")
RICH_ONES = {kind: program(f"stacking: {{multipliers: {kind}}}{RICH}") for kind in KINDS}


@given(st.sampled_from(KINDS), st.lists(purchases() | visits, min_size=1, max_size=25))
@settings(max_examples=100)
def test_limits_and_budgets_hold_over_any_history_in_any_order(kind: str, history: list[Occurrence]) -> None:
    compiled = RICH_ONES[kind]
    members, budgets = [new_member(), new_member()], Budgets()
    rebuilt = [Counters(), Counters()]
    for number, event in enumerate(history):
        state = members[number % 2]
        decision = decided(compiled, event, state, budgets=budgets)
        check_amounts(decision)
        check_tiers(compiled, state, decision)
        rebuilt[number % 2] = counted(compiled, rebuilt[number % 2], json_again(decision.outcome), event.occurred_at)
        book(state, budgets, decision)
        for one in members:
            check_limits(compiled, one, budgets)
            assert all(balance.available >= 0 for balance in one.balances.values())
    assert rebuilt == [one.counters for one in members]


@given(st.sampled_from(KINDS), st.lists(purchases() | visits, min_size=2, max_size=12), st.randoms())
@settings(max_examples=60)
def test_sums_do_not_depend_on_the_order_of_arrival(kind: str, history: list[Occurrence], random: Any) -> None:
    # the outcomes as they were booked, counted in another order: levels aside, it is the same
    compiled = RICH_ONES[kind]
    state, outcomes = new_member(), []
    for event in history:
        decision = decided(compiled, event, state)
        outcomes.append((decision.outcome, event.occurred_at))
        book(state, Budgets(), decision)
    random.shuffle(outcomes)
    counters = Counters()
    for outcome, moment in outcomes:
        counters = counted(compiled, counters, outcome, moment)
    counters.tiers, counters.periods = state.counters.tiers, state.counters.periods
    assert counters == state.counters


@given(
    st.permutations(range(4)),
    st.lists(lines, min_size=4, max_size=4),
    st.sampled_from(("campaign", "event")),
    st.sampled_from(KINDS),
)
def test_the_order_of_lines_does_not_change_the_total(
    order: list[int], parts: list[Line], scope: str, kind: str
) -> None:
    compiled = _BY_SCOPE[scope, kind]
    event = happening("purchase", lines=tuple(parts), currency="EUR")
    turned = happening("purchase", lines=tuple(parts[place] for place in order), currency="EUR")
    assert total(decided(compiled, turned)) == total(decided(compiled, event))


_BY_SCOPE = {
    (scope, kind): program(
        f"stacking: {{multipliers: {kind}}}\npoints: {{stars: {{rounding: {{mode: half_up, scope: {scope}}}}}}}\n"
        """campaigns:
  base: {on: purchase, earn: {stars: 0.7 per 1.00}}
  steps: {on: purchase, earn: {stars: 3 per whole 7.00}}
  tea: {on: purchase, lines: 'line.category == "tea"', multiply: {of: base, by: 1.9}}
  all: {on: purchase, multiply: {of: all, by: 1.15}, limits: [{earn: 20 stars}]}
"""
    )
    for scope in ("campaign", "event")
    for kind in KINDS
}


@given(
    st.lists(st.integers(0, 5000), min_size=1, max_size=12), st.sampled_from(("floor", "ceil", "half_up", "half_even"))
)
def test_an_order_earns_the_same_however_it_is_cut_into_lines(prices: list[int], mode: str) -> None:
    compiled = _BY_MODE[mode]
    whole = decided(compiled, happening("purchase", lines=(Line("A", Decimal(1), sum(prices)),), currency="EUR"))
    parts = tuple(Line("A", Decimal(1), price) for price in prices)
    assert total(decided(compiled, happening("purchase", lines=parts, currency="EUR"))) == total(whole)


_BY_MODE = {
    mode: campaigns(
        "a: {on: purchase, earn: {stars: 0.37 per 1.00}}\nm: {on: purchase, multiply: {of: a, by: 1.7}}",
        points=f"{{stars: {{rounding: {mode}}}}}",
    )
    for mode in ("floor", "ceil", "half_up", "half_even")
}


@given(st.lists(st.integers(0, 20_000), min_size=2, max_size=20))
def test_more_money_never_earns_less(prices: list[int]) -> None:
    compiled = RICH_ONES["product"]
    found = [
        total(decided(compiled, happening("purchase", lines=(Line("A", Decimal(1), price),), currency="EUR")))
        for price in sorted(prices)
    ]
    assert all(less <= more for less, more in pairwise(found))


def test_an_explanation_is_never_of_another_event() -> None:
    compiled = RICH_ONES["best"]
    decision = decided(compiled, happening("visit"))
    assert isinstance(decision.explanation, Explanation)
    assert isinstance(decision.outcome, Outcome)
    assert [found.campaign for found in decision.explanation.considered] == ["come", "fee"]
