"""The figures of a demo: what was booked, what it is worth, and whether the ledger agrees."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.db.engine import Database, driver_connection
from setia.db.ids import format_id
from setia.demo.cards import CardFigures
from setia.demo.friends import ReferralFigures
from setia.demo.running import STATEMENT, Redeemed, Tally, Told
from setia.engine.compiled import CompiledProgram
from setia.engine.state import Counters
from setia.events.live import LivePrograms
from setia.events.part import statement_sentences
from setia.events.verify import verify
from setia.ledger.statement import read_statement
from setia.ledger.states import read_members
from setia.ledger.tallies import LevelMoves, entries_by_kind, level_moves, points_of_campaigns
from setia.ledger.verify import Finding, Report
from setia.ledger.wallets import load_balances
from setia.program.currencies import minor_digits
from setia.program.definition import Program
from setia.program.events import REFERRAL_EVENTS


class PointsFigures(msgspec.Struct, frozen=True):
    """All points of one type, in its smallest unit, as the ledger's postings tell.

    `outstanding` is what members hold: `available`, and `pending` until its day comes.
    """

    issued: int
    redeemed: int
    expired: int
    adjusted: int
    outstanding: int
    available: int
    pending: int


class RewardFigures(msgspec.Struct, frozen=True):
    """How often one reward was redeemed, for how many points (smallest unit), and what it took off: decimal text."""

    redeemed: int
    points: dict[str, int]
    amount: str


class Liability(msgspec.Struct, frozen=True):
    """What the members could spend now, in money: decimal text, rounded to the currency's smallest unit once."""

    amount: str
    currency: str


class StatementItem(msgspec.Struct, frozen=True):
    """One entry of the shown member's statement, with the wallets it moved as they were afterwards."""

    seq: int
    kind: str
    occurred_at: dt.datetime
    sentences: list[str]
    balances: dict[str, int]


class MemberFigures(msgspec.Struct, frozen=True):
    """One member, with the newest entries of the statement first."""

    id: str
    external_id: str
    card: str
    tiers: dict[str, str]
    balances: dict[str, int]
    statement: list[StatementItem]


class VerifyFigures(msgspec.Struct, frozen=True):
    """What `setia verify` said: how many findings in how many journal entries."""

    findings: int
    entries: int
    seconds: float


class Figures(msgspec.Struct, frozen=True):
    """Everything that is printed; `--json` prints it as it stands here.

    `points` is by point type, `tiers` counts members by tier set and level as they are at the end, `tiers_risen` and
    `tiers_dropped` how often somebody came into a higher or a lower level, `entries` what the journal holds, by kind.
    `campaigns` is by campaign and point type, the largest first, less what returns took back; `rewards` is by reward,
    `returns` how many there were; `referrals` and `gift_cards` are by kind. `seconds` is the time of booking, all
    enrolments and everything that came due included.
    """

    members: int
    events: int
    seed: int
    until: dt.date
    seconds: float
    events_per_second: int
    points: dict[str, PointsFigures]
    tiers: dict[str, dict[str, int]]
    tiers_risen: dict[str, int]
    tiers_dropped: dict[str, int]
    entries: dict[str, int]
    campaigns: dict[str, dict[str, int]]
    rewards: dict[str, RewardFigures]
    returns: int
    referrals: dict[str, ReferralFigures]
    gift_cards: dict[str, CardFigures]
    liability: Liability
    member: MemberFigures | None
    verify: VerifyFigures


def draw_up(
    database: Database, program_id: int, tally: Tally, *, seed: int, until: dt.date, language: str = "en"
) -> tuple[Figures, list[Finding]]:
    """Prove the ledger and read the figures from it; with what the proof found."""
    report = verify(database)
    with database.transaction() as tx:
        connection = driver_connection(tx)
        program = LivePrograms(database).live(connection, program_id).compiled
        definition = program.definition
        entries, moves = entries_by_kind(connection, program_id), level_moves(connection, program_id)
        # What referrals gave, no answer has told.
        given = points_of_campaigns(connection, program_id, _of_referrals(definition))
        _look_up_levels(connection, program, tally)
    shown = _most_interesting(tally, definition)
    figures = Figures(
        members=len(tally.members),
        events=tally.events,
        seed=seed,
        until=until,
        seconds=round(tally.seconds, 2),
        events_per_second=round(tally.events / max(tally.seconds, 0.001)),
        points=_points(report, definition),
        tiers=_tiers(tally, definition),
        tiers_risen=_moved(moves, definition, up=True),
        tiers_dropped=_moved(moves, definition, up=False),
        entries=entries,
        campaigns=_campaigns({**tally.campaigns, **given}),
        rewards=_rewards(tally, definition),
        returns=tally.returns,
        referrals=tally.friends.figures(list(definition.referrals)),
        gift_cards=tally.cards.figures(list(definition.gift_cards)),
        liability=_liability(report, definition),
        member=None if shown is None else _member(database, *shown, language),
        verify=VerifyFigures(len(report.findings), report.entries, float(report.seconds)),
    )
    return figures, report.findings


def as_json(figures: Figures) -> dict[str, Any]:
    """The figures as plain values."""
    plain: dict[str, Any] = msgspec.to_builtins(figures)
    return plain


def _points(report: Report, definition: Program) -> dict[str, PointsFigures]:
    found = {
        total.point_type: PointsFigures(
            issued=total.issued,
            redeemed=total.redeemed,
            expired=total.expired,
            adjusted=total.adjusted,
            outstanding=total.available + total.pending + total.held,
            available=total.available,
            pending=total.pending,
        )
        for total in report.totals
    }
    return {name: found.get(name, PointsFigures(0, 0, 0, 0, 0, 0, 0)) for name in definition.points}


def _look_up_levels(connection: psycopg.Connection[Any], program: CompiledProgram, tally: Tally) -> None:
    """The levels as they are now: time may have changed them after a member's newest event was answered."""
    for member_id, row in read_members(connection, list(tally.members)).items():
        tally.members[member_id].levels = program.levels_of(msgspec.json.decode(row.counters, type=Counters))


def _moved(moves: list[LevelMoves], definition: Program, *, up: bool) -> dict[str, int]:
    order = {tier_set.id: [level.id for level in tier_set.levels] for tier_set in definition.tiers}
    moved = dict.fromkeys(order, 0)
    for tier_set, before, after, times in moves:
        levels = order[tier_set]
        moved[tier_set] += times if (levels.index(after) > levels.index(before)) is up else 0
    return moved


def _tiers(tally: Tally, definition: Program) -> dict[str, dict[str, int]]:
    counts = {tier_set.id: {level.id: 0 for level in tier_set.levels} for tier_set in definition.tiers}
    for told in tally.members.values():
        for tier_set, level in told.levels.items():
            counts[tier_set][level] += 1
    return counts


def _of_referrals(definition: Program) -> list[str]:
    """The campaigns that listen to events of referrals."""
    return [name for name, one in definition.campaigns.items() if set(REFERRAL_EVENTS).intersection(one.triggers)]


def _campaigns(given: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    ordered = sorted(given.items(), key=lambda item: (-max(item[1].values()), item[0]))
    return {campaign: dict(sorted(points.items())) for campaign, points in ordered}


def _rewards(tally: Tally, definition: Program) -> dict[str, RewardFigures]:
    digits = minor_digits(definition.program.currency)
    found = {}
    for reward in definition.rewards:
        redeemed = tally.rewards.get(reward, Redeemed())
        amount = format(Decimal(redeemed.amount).scaleb(-digits), "f")
        found[reward] = RewardFigures(redeemed.times, dict(sorted(redeemed.points.items())), amount)
    return found


def _liability(report: Report, definition: Program) -> Liability:
    currency = definition.program.currency
    amount = Decimal(0)
    for total in report.totals:
        point_type = definition.points[total.point_type]
        if point_type.value is not None:
            amount += Decimal(total.available).scaleb(-point_type.decimals) * point_type.value
    cent = Decimal(1).scaleb(-minor_digits(currency))
    return Liability(format(amount.quantize(cent, ROUND_HALF_EVEN), "f"), currency)


def _most_interesting(tally: Tally, definition: Program) -> tuple[UUID, Told] | None:
    """Who shows most: in the middle of the first ladder, with a cut and many campaigns among the newest events.

    Ids are new in each run, so the member's number decides between equals.
    """
    ladder = definition.tiers[0] if definition.tiers else None
    middle = ladder.levels[len(ladder.levels) // 2].id if ladder else None

    def interest(item: tuple[UUID, Told]) -> tuple[bool, bool, int, int]:
        told = item[1]
        is_middle = ladder is not None and told.levels.get(ladder.id) == middle
        return is_middle, told.is_cut, told.variety, -told.person.number

    return max(tally.members.items(), key=interest, default=None)


def _member(database: Database, member_id: UUID, told: Told, language: str) -> MemberFigures:
    programs = LivePrograms(database)
    with database.transaction() as tx:
        connection = driver_connection(tx)
        page = read_statement(connection, member_id, limit=STATEMENT)
        balances = load_balances(connection, [member_id])[member_id]
    return MemberFigures(
        id=format_id("mem", member_id),
        external_id=told.person.external_id,
        card=told.person.card,
        tiers=told.levels,
        balances={points: balance.available for points, balance in sorted(balances.items())},
        statement=[
            StatementItem(
                seq=entry.seq,
                kind=entry.kind,
                occurred_at=entry.occurred_at,
                sentences=statement_sentences(programs, entry, language),
                # Lines come newest first: the oldest of each point type is overwritten by what follows it in time.
                balances={line.point_type: line.balance.available for line in reversed(entry.lines)},
            )
            for entry in page.entries
        ],
    )
