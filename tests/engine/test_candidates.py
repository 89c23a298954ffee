"""The index over many campaigns: the same decisions, the same reasons, without asking every campaign."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.shop_world import NOON, line, member, program, purchase
from setia.engine import candidates, compiled
from setia.engine.candidates import INDEXED_FROM
from setia.engine.compiled import CompiledProgram
from setia.engine.decide import decide
from setia.engine.decision import Considered, Decision
from setia.engine.occurrences import Occurrence

LOCATIONS = ("altona", "mitte", "süd", "")
WHENS = (
    None,
    'event.location == "altona"',
    '"mitte" == event.location',
    'event.location in ["altona", "süd"] && event.total >= 5.00',
    'event.total >= 5.00 && event.channel == "pos"',
    'event.channel in ["pos", event.location]',
    'event.location == "altona" || event.total > 1.00',
    'member.tiers.status == "gold"',
    '"vip" in member.tags',
    'member.attributes.city == "Hamburg"',
)
SCHEDULES = (
    None,
    "{starts: 2026-03-04}",
    "{ends: 2026-03-03}",
    "{starts: 2026-03-01, ends: 2026-03-04}",
    "{days: [mon]}",
)
CITY = "members: {attributes: {city: {}}}"
TIERS = "tiers: [{id: status, metric: orders, levels: [{id: green, from: 0}, {id: gold, from: 2}]}]"


def _many(whens: list[str | None], schedules: list[str | None]) -> CompiledProgram:
    lines = []
    for number, (when, schedule) in enumerate(zip(whens, schedules, strict=True)):
        parts = ["on: purchase", "earn: {stars: 1}"]
        if when is not None:
            parts.append(f"when: '{when}'")
        if schedule is not None:
            parts.append(f"schedule: {schedule}")
        lines.append(f"c{number}: {{{', '.join(parts)}}}")
    return program(f"{CITY}\n{TIERS}\ncampaigns:\n" + "\n".join(f"  {text}" for text in lines))


def _all_said(program: CompiledProgram, decision: Decision, event: Occurrence) -> dict[str, Considered]:
    said = list(decision.explanation.considered)
    index = program.plans["purchase"].candidates
    if index is not None:
        asked = {one.campaign for one in said}
        said += index.passed_over(event.occurred_at, decision.explanation.inputs, asked)
    return {one.campaign: one for one in said}


_PAIRS = st.lists(st.tuples(st.sampled_from(WHENS), st.sampled_from(SCHEDULES)), min_size=INDEXED_FROM, max_size=60)


@given(
    pairs=_PAIRS,
    location=st.sampled_from(LOCATIONS),
    channel=st.sampled_from(("pos", "app")),
    days=st.integers(-2, 2),
)
def test_the_index_changes_neither_decisions_nor_reasons(
    pairs: list[tuple[str | None, str | None]], location: str, channel: str, days: int
) -> None:
    # given the same program with and without an index
    whens, schedules = [when for when, _ in pairs], [schedule for _, schedule in pairs]
    indexed = _many(whens, schedules)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "INDEXED_FROM", 10**6)
        plain = _many(whens, schedules)
    event = purchase(line(1000), at=NOON + dt.timedelta(days=days), location=location, channel=channel)

    # when
    fast = decide(indexed, member(), event, NOON)
    slow = decide(plain, member(), event, NOON)

    # then
    assert indexed.plans["purchase"].candidates is not None
    assert plain.plans["purchase"].candidates is None
    assert fast.outcome == slow.outcome
    assert fast.counters == slow.counters
    said, all_said = _all_said(indexed, fast, event), _all_said(plain, slow, event)
    assert said.keys() == all_said.keys()
    for name, one in said.items():
        assert (one.verdict == "matched") == (all_said[name].verdict == "matched")


def test_what_was_passed_over_says_why() -> None:
    # given many campaigns of other shops, one that has ended, and one that fits
    whens: list[str | None] = [f'event.location == "shop{number}"' for number in range(INDEXED_FROM)]
    many = _many([*whens, None, None], [*([None] * INDEXED_FROM), "{ends: 2026-03-03}", None])

    # when
    event = purchase(1000, location="altona")
    decision = decide(many, member(), event, NOON)

    # then only the one that fits was asked, and the others can still be explained
    assert [one.campaign for one in decision.explanation.considered] == [f"c{INDEXED_FROM + 1}"]
    said = _all_said(many, decision, event)
    assert said["c7"] == Considered("c7", "condition", 'event.location == "shop7"', {"event.location": "altona"})
    assert said[f"c{INDEXED_FROM}"] == Considered(f"c{INDEXED_FROM}", "schedule")


def test_campaigns_are_asked_in_the_order_declared() -> None:
    whens: list[str | None] = ['event.location == "altona"', None] * INDEXED_FROM
    many = _many(whens, [None] * len(whens))

    decision = decide(many, member(), purchase(1000, location="altona"), NOON)

    assert [one.campaign for one in decision.explanation.considered] == [f"c{number}" for number in range(len(whens))]


def test_few_stretches_of_time_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "_MOST_STRETCHES", 1)
    many = _many([None] * INDEXED_FROM, ["{starts: 2026-03-04}"] * INDEXED_FROM)

    for days, granted in ((-2, 0), (0, INDEXED_FROM), (-2, 0), (1, INDEXED_FROM)):
        event = purchase(1000, at=NOON + dt.timedelta(days=days))
        assert len(decide(many, member(), event, NOON).outcome.points) == granted


def test_a_stretch_of_time_is_sorted_out_once() -> None:
    many = _many([None] * INDEXED_FROM, [None] * INDEXED_FROM)
    first, again = (decide(many, member(), purchase(1000), NOON) for _ in range(2))
    assert first == again
