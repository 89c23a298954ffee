"""The figures for people: on a terminal with colours, elsewhere without."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as Styled

from setia.demo.figures import Figures, MemberFigures
from setia.engine.compiled import CompiledProgram
from setia.engine.reward_sentences import reward_name
from setia.engine.wording import campaign_name
from setia.program.names import Text

_TOP = 6
_BAR = 30


def show(console: Console, figures: Figures, program: CompiledProgram) -> None:
    """Print everything."""
    zone = program.zone
    console.print()
    console.print(
        Styled.assemble(
            (f"{figures.events_per_second:,}", "bold green"),
            f" events per second: {figures.members:,} members, {figures.events:,} events of the year up to ",
            f"{figures.until}, booked in {figures.seconds:.1f} s",
        )
    )
    console.print()
    console.print(_points(figures))
    console.print(
        Styled.assemble(
            "Liability: members could spend points worth ",
            (f"{_thousands(figures.liability.amount)} {figures.liability.currency}", "bold yellow"),
        )
    )
    console.print()
    for tier_set, levels in figures.tiers.items():
        console.print(_tiers(tier_set, levels))
        risen, dropped = figures.tiers_risen[tier_set], figures.tiers_dropped[tier_set]
        console.print(f"In this year {risen:,} times somebody rose, and {dropped:,} times somebody dropped.")
    console.print()
    console.print(_campaigns(figures, program))
    if figures.rewards:
        console.print()
        console.print(_rewards(figures, program))
        console.print(f"{figures.returns:,} times something was brought back.")
    if figures.referrals:
        console.print()
        console.print(_referrals(figures, program))
    if figures.gift_cards:
        console.print()
        console.print(_gift_cards(figures, program))
    if figures.member is not None:
        console.print()
        console.print(Panel(_statement(figures.member, zone), title=_heading(figures.member), title_align="left"))
    console.print()
    clean = figures.verify.findings == 0
    console.print(
        Styled.assemble(
            "setia verify: ",
            ("everything agrees", "bold green") if clean else (f"{figures.verify.findings:,} findings", "bold red"),
            f" in {figures.verify.entries:,} journal entries, recounted in {figures.verify.seconds:.1f} s",
        )
    )


def _points(figures: Figures) -> Table:
    table = Table("points", "issued", "redeemed", "expired", "adjusted", "pending", "available")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, points in figures.points.items():
        row = (points.issued, points.redeemed, points.expired, points.adjusted, points.pending, points.available)
        table.add_row(name, *(f"{figure:,}" for figure in row))
    return table


def _tiers(tier_set: str, levels: dict[str, int]) -> Table:
    table = Table("tier", "members", "", title=None)
    table.columns[1].justify = "right"
    everybody = max(sum(levels.values()), 1)
    for level, members in levels.items():
        # At least one mark for whoever is there, however few.
        marks = max(members * _BAR // everybody, 1 if members else 0)
        share = f"{members * 100 / everybody:.1f} %"
        table.add_row(f"{tier_set}: {level}", f"{members:,}", Styled.assemble(("█" * marks, "cyan"), f" {share}"))
    return table


def _campaigns(figures: Figures, program: CompiledProgram) -> Table:
    table = Table("what gave most", "points")
    table.columns[1].justify = "right"
    for campaign, points in list(figures.campaigns.items())[:_TOP]:
        amounts = ", ".join(f"{amount:,} {name}" for name, amount in points.items())
        table.add_row(campaign_name(program, campaign, "en"), amounts)
    return table


def _rewards(figures: Figures, program: CompiledProgram) -> Table:
    table = Table("what points bought", "times", "points", "worth")
    for column in table.columns[1:]:
        column.justify = "right"
    for reward, told in figures.rewards.items():
        points = ", ".join(f"{amount:,} {name}" for name, amount in told.points.items())
        worth = f"{_thousands(told.amount)} {figures.liability.currency}"
        table.add_row(reward_name(program, reward, "en"), f"{told.redeemed:,}", points, worth)
    return table


def _referrals(figures: Figures, program: CompiledProgram) -> Table:
    table = Table("friends brought", "joined", "waiting", "won", "capped", "void", "blocked", "points")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, told in figures.referrals.items():
        points = ", ".join(f"{amount:,} {points}" for points, amount in told.points.items())
        counts = (told.joined, told.waiting, told.won, told.capped, told.void, told.blocked)
        table.add_row(
            _name(program, program.definition.referrals[name].name, name), *(f"{count:,}" for count in counts), points
        )
    return table


def _gift_cards(figures: Figures, program: CompiledProgram) -> Table:
    table = Table("gift cards", "cards", "sold", "given", "used", "refunded", "expired", "paid out", "left", "blocked")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, told in figures.gift_cards.items():
        money = (told.sold, told.granted, told.used, told.refunded, told.expired, told.paid_out, told.left)
        amounts = (_thousands(amount) for amount in money)
        label = _name(program, program.definition.gift_cards[name].name, name)
        table.add_row(label, f"{told.cards:,}", *amounts, f"{told.blocked:,}")
    return table


def _name(program: CompiledProgram, text: Text | None, name: str) -> str:
    return name if text is None else text.in_locale("en", program.definition.program.locale)


def _heading(member: MemberFigures) -> str:
    tiers = ", ".join(f"{tier_set} {level}" for tier_set, level in member.tiers.items())
    return f"statement of {member.external_id} ({tiers}), newest first"


def _statement(member: MemberFigures, zone: ZoneInfo) -> RenderableType:
    parts: list[RenderableType] = []
    for item in member.statement:
        local = item.occurred_at.astimezone(zone)
        after = ", ".join(f"{amount:,} {points}" for points, amount in sorted(item.balances.items()))
        parts.append(
            Styled.assemble((f"{local:%a %d %b %Y %H:%M}", "bold"), (f"  now {after}" if after else "", "dim"))
        )
        parts += [Styled(f"  {sentence}") for sentence in item.sentences]
    return Group(*parts)


def _thousands(amount: str) -> str:
    whole, point, fraction = amount.partition(".")
    return f"{int(whole):,}{point}{fraction}"
