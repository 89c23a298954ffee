"""The figures for people, on a terminal and elsewhere."""

import datetime as dt
import io

from rich.console import Console

from setia.demo.cards import CardFigures
from setia.demo.figures import (
    Figures,
    Liability,
    MemberFigures,
    PointsFigures,
    RewardFigures,
    StatementItem,
    VerifyFigures,
)
from setia.demo.friends import ReferralFigures
from setia.demo.showing import show
from setia.engine.compiled import compile_program
from setia.program.templates import load_template

FIGURES = Figures(
    members=1250,
    events=48506,
    seed=1,
    until=dt.date(2026, 9, 30),
    seconds=29.33,
    events_per_second=1654,
    points={"stars": PointsFigures(15639, 12, 3, -4, 15620, 15600, 20)},
    tiers={"status": {"green": 1200, "gold": 49, "platinum": 1}},
    tiers_risen={"status": 50},
    tiers_dropped={"status": 4},
    entries={"event": 48506, "expiry": 1},
    campaigns={"base": {"stars": 8635, "status": 8635}, "gold_bonus": {"stars": 593}},
    rewards={"free_coffee": RewardFigures(12, {"stars": 1200}, "44.40")},
    returns=3,
    referrals={"friends": ReferralFigures(20, 1, 9, 2, 5, 3, {"same_device": 3}, {"stars": 1350})},
    gift_cards={"gift": CardFigures("EUR", 3, 1, "2000.00", "0.00", "40.10", "3.60", "0.00", "20.00", "1943.50")},
    liability=Liability("1468.60", "EUR"),
    member=MemberFigures(
        id="mem_1",
        external_id="demo-00024",
        card="2026 0000 0024",
        tiers={"status": "gold"},
        balances={"stars": 979},
        statement=[
            StatementItem(
                seq=107,
                kind="event",
                occurred_at=dt.datetime(2026, 9, 29, 12, 16, tzinfo=dt.UTC),
                sentences=["5 stars for [made-up] reasons."],
                balances={"stars": 1979},
            )
        ],
    ),
    verify=VerifyFigures(findings=0, entries=48506, seconds=2.4),
)


def shown(figures: Figures, *, colours: bool = False) -> str:
    file = io.StringIO()
    program = compile_program(load_template("coffee-stars"), 1)
    show(
        Console(file=file, width=110, force_terminal=colours, color_system="standard" if colours else None),
        figures,
        program,
    )
    return file.getvalue()


def test_every_figure_is_told() -> None:
    text = shown(FIGURES)

    for part in (
        "1,654 events per second: 1,250 members, 48,506 events of the year up to 2026-09-30, booked in 29.3 s",
        "│ stars  │ 15,639 │       12 │       3 │       -4 │      20 │    15,600 │",
        "In this year 50 times somebody rose, and 4 times somebody dropped.",
        "worth 1,468.60 EUR",
        "│ status: green    │   1,200 │ ████████████████████████████ 96.0 % │",
        "│ status: platinum │       1 │ █ 0.1 %",
        "│ A star for every euro │ 8,635 stars, 8,635 status │",
        "│ Free coffee        │    12 │ 1,200 stars │ 44.40 EUR │",
        "3 times something was brought back.",
        "│ Bring a friend  │     20 │       1 │   9 │      2 │    5 │       3 │ 1,350 stars │",
        "│ Gift card  │     3 │ 2,000.00 │  0.00 │ 40.10 │     3.60 │    0.00 │    20.00 │ 1,943.50 │       1 │",
        "statement of demo-00024 (status gold), newest first",
        "Tue 29 Sep 2026 14:16  now 1,979 stars",
        "5 stars for [made-up] reasons.",
        "setia verify: everything agrees in 48,506 journal entries, recounted in 2.4 s",
    ):
        assert part in text, text
    assert "\x1b" not in text


def test_findings_are_not_hidden_and_nobody_needs_a_statement() -> None:
    verify = VerifyFigures(findings=2, entries=3, seconds=0.1)
    plain = {field: getattr(FIGURES, field) for field in FIGURES.__struct_fields__}
    text = shown(Figures(**{**plain, "member": None, "verify": verify}))

    assert "setia verify: 2 findings in 3 journal entries" in text
    assert "statement of" not in text


def test_a_terminal_gets_colours() -> None:
    assert "\x1b[1;32m1,654" in shown(FIGURES, colours=True)
