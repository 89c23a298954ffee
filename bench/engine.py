"""How many decisions a second the engine makes on one core, in small and in large programs.

    ./dev bench engine [--json] [--seconds S] [--profile]

docs/reference/benchmarks.md says what is measured, and how.
"""

import argparse
import cProfile
import datetime as dt
import json
import pstats
import sys
import time
from collections.abc import Callable
from pathlib import Path

if __name__ == "__main__":  # started by its path
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.harness.purchases import baskets

from setia.engine.compiled import CompiledProgram
from setia.engine.decide import decide
from setia.engine.occurrences import Occurrence
from setia.engine.state import MemberState
from setia.events.arrivals import arrive, draft
from setia.events.live import LiveProgram, ready
from setia.program.definition import Program
from setia.program.templates import load_template

SIZES = (20, 200, 1_000)
CAN_MATCH = 5
_MONDAY = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)
"""A moment without schedules of the template, so that the figures are the same on every day."""


def template() -> Program:
    """The program as it comes."""
    return load_template("coffee-stars")


def mixed(size: int) -> Program:
    """`size` campaigns, of which five can match a purchase here and now.

    Of the rest a third waits for other events, a third has a schedule that has ended, and a third is for another
    location.
    """
    return _program([(_other_event, _ended, _failing)[number % 3](number) for number in range(size - CAN_MATCH)])


def failing(size: int) -> Program:
    """`size` campaigns, of which five can match; the condition of every other one has to be evaluated, and fails."""
    return _program([_too_small(number) for number in range(size - CAN_MATCH)])


def _program(rest: list[dict[str, object]]) -> Program:
    campaigns: dict[str, object] = {f"match_{number}": _matching(number) for number in range(CAN_MATCH)}
    campaigns |= {f"rest_{number}": campaign for number, campaign in enumerate(rest)}
    given = template().model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return Program.model_validate(given | {"campaigns": campaigns})


def _matching(number: int) -> dict[str, object]:
    parts: tuple[dict[str, object], ...] = (
        {"earn": {"stars": "1 per 1.00", "status": "1 per 1.00"}},
        {"lines": "line.amount > 2.50", "earn": {"stars": "1 per unit"}},
        {"when": 'event.channel == "pos"', "earn": {"stars": 1}},
        {"when": "event.total > 5.00 && member.lifetime.orders >= 0", "earn": {"stars": 2}},
        {"when": 'event.lines.exists(l, l.category != "none")', "earn": {"stars": 3}},
    )
    common: dict[str, object] = {"name": f"Match {number}", "on": "purchase"}
    return common | parts[number]


def _failing(number: int) -> dict[str, object]:
    when = f'event.location == "nowhere_{number}" && event.total > {number}.00'
    return {"name": f"Elsewhere {number}", "on": "purchase", "when": when, "earn": {"stars": 5}}


def _too_small(number: int) -> dict[str, object]:
    # No equality, by which an index could know beforehand that it fails.
    when = f"event.total > {1_000 + number}.00"
    return {"name": f"Large {number}", "on": "purchase", "when": when, "earn": {"stars": 5}}


def _ended(number: int) -> dict[str, object]:
    schedule = {"starts": "2025-01-01", "ends": "2025-01-31"}
    return {"name": f"Last year {number}", "on": "purchase", "schedule": schedule, "earn": {"stars": 5}}


def _other_event(number: int) -> dict[str, object]:
    return {"name": f"Visit {number}", "on": "visit", "when": f'event.location == "l{number}"', "earn": {"stars": 5}}


def occurrences(live: LiveProgram) -> list[Occurrence]:
    """Purchases with three lines, read as if they had come in."""
    several = baskets("bench", _MONDAY.isoformat())
    return [arrive(live, draft(basket.body(i, i), _MONDAY)).event for i, basket in enumerate(several)]


def decider(program: Program) -> Callable[[], object]:
    """A function that makes one decision, about another purchase each time, for a member who goes on collecting."""
    live = ready(1, program, 1)
    compiled: CompiledProgram = live.compiled
    events = occurrences(live)
    state = MemberState(id="mem_bench", enrolled_at=_MONDAY - dt.timedelta(days=400))
    number = 0

    def one() -> object:
        nonlocal number
        decision = decide(compiled, state, events[number % len(events)], _MONDAY)
        state.counters = decision.counters
        number += 1
        return decision

    return one


def rate(one: Callable[[], object], seconds: float) -> float:
    """How often a second, in the best of three stretches: what else the machine does only ever slows it."""
    for _ in range(20):
        one()
    best = 0.0
    for _ in range(3):
        done, start = 0, time.process_time()
        while (took := time.process_time() - start) < seconds / 3:
            for _ in range(10):
                one()
            done += 10
        best = max(best, done / took)
    return best


def _profile(program: Program) -> None:
    one = decider(program)
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(2_000):
        one()
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="./dev bench engine", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long to measure each program (default: 3)")
    parser.add_argument("--profile", action="store_true", help="show where the time goes in the template")
    given = parser.parse_args()
    if given.profile:
        _profile(template())
        return
    of_template = round(rate(decider(template()), given.seconds))
    of_mixed = {str(size): round(rate(decider(mixed(size)), given.seconds)) for size in SIZES}
    of_failing = {str(size): round(rate(decider(failing(size)), given.seconds)) for size in SIZES}
    if given.json:
        report = {
            "decisions_per_second": of_mixed,
            "all_conditions_evaluated": of_failing,
            "template": of_template,
        }
        print(json.dumps(report, indent=2))
        return
    print(f"decisions a second on one core, purchases with 3 lines; the template: {of_template}")
    print(f"{'campaigns':>10} {'mixed':>10} {'all conditions evaluated':>26}")
    for size, decisions in of_mixed.items():
        print(f"{size:>10} {decisions:>10} {of_failing[size]:>26}")


if __name__ == "__main__":
    main()
