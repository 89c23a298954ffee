"""What a member holds, as the API shows it, and adjustments by hand. The ledger keeps it; the program names it."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Protocol, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from setia.api.moments import GivenMoment
from setia.api.values import Reason
from setia.db.ids import format_id
from setia.engine.calendar import expires_at
from setia.engine.state import Balance
from setia.ledger.adjustments import Adjusted, Terms
from setia.ledger.entries import LARGEST_AMOUNT
from setia.ledger.expiring import Amount
from setia.ledger.statement import StatementEntry, StatementLine
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.schemas import MEMBER_EXAMPLE
from setia.program.definition import Program
from setia.program.names import Identifier
from setia.program.points import PointType

EVENT_PREFIX = "evt"
ENTRY_PREFIX = "jrn"
_MOMENT = "2026-03-01T09:00:00Z"

Sentences: TypeAlias = Callable[[Program, StatementEntry, str], Sequence[str]]
"""What an entry did, for the member, in a language; `app.state.sentences` holds it."""


def terms_of(program: Program, version: int, point_type: str, now: dt.datetime, held: Mapping[str, str]) -> Terms:
    """How points of a type that are given by hand now lie and end: as if they had been earned now.

    `held` is what the ledger knows of the member's levels (tier set -> level); who has none yet is on the first one.
    """
    points = program.points[point_type]
    levels = {tier_set.id: held.get(tier_set.id, tier_set.levels[0].id) for tier_set in program.tiers}
    ends = expires_at(now, points.expiry, ZoneInfo(program.program.timezone), levels)
    return Terms(
        program_version=version,
        in_lots=points.in_lots,
        expires_at=ends,
        floor=points.floor,
        ends_by_inactivity=points.expiry.inactivity is not None,
    )


class WalletBalance(BaseModel):
    """One wallet, in the smallest unit of its point type."""

    available: int = Field(examples=[25])
    pending: int = Field(examples=[0])
    held: int = Field(examples=[0])

    @classmethod
    def of(cls, balance: Balance) -> "WalletBalance":
        """Show a balance."""
        return cls(available=balance.available, pending=balance.pending, held=balance.held)


class AmountOnDay(BaseModel):
    """So many points, in the smallest unit of their type, and a day on the program's calendar."""

    date: dt.date = Field(examples=["2026-12-31"])
    amount: int = Field(examples=[25])

    @classmethod
    def of(cls, one: Amount) -> "AmountOnDay":
        """Show an amount."""
        return cls(date=one.date, amount=one.amount)


class Outlook(Protocol):
    """Point type -> what ends, by the last day it can be used; and what becomes available, by the first."""

    @property
    def expiring(self) -> dict[str, list[Amount]]:
        """What ends by itself."""
        ...

    @property
    def releases(self) -> dict[str, list[Amount]]:
        """What becomes available by itself."""
        ...


class WalletOut(WalletBalance):
    """One wallet and what it is worth."""

    points: str = Field(description="The point type.", examples=["stars"])
    name: str = Field(examples=["stars"])
    decimals: int = Field(description="With 2, an amount of 150 is 1.50 points.", examples=[0])
    value: str | None = Field(
        description="What the available points are worth, in whole units of the program's currency, exact; null where "
        "the program gives the points no value.",
        examples=[None],
    )
    currency: str = Field(examples=["EUR"])
    expiring: list[AmountOnDay] | None = Field(
        description="What ends if the member does nothing: by the last day on which it can be used, earliest first. Of "
        "points that decay only the next step. Null for a past moment.",
        examples=[[{"date": "2026-12-31", "amount": 25}]],
    )
    releases: list[AmountOnDay] | None = Field(
        description="When pending points become available by themselves: by the first day on which they can be used. "
        "Points that wait for an event are not in it. Null for a past moment.",
        examples=[[]],
    )


class WalletsOut(BaseModel):
    """All wallets of a member: one for each point type of the program, in its order."""

    member: str = Field(examples=[MEMBER_EXAMPLE])
    wallets: list[WalletOut]


def wallets_out(
    program: Program, member: str, balances: dict[str, Balance], language: str, outlook: Outlook | None
) -> WalletsOut:
    """Show wallets; those of point types the program no longer has come last. `outlook` is None for a past moment."""
    names = [*program.points, *sorted(set(balances) - set(program.points))]
    return WalletsOut(
        member=member,
        wallets=[_wallet(program, name, balances.get(name, Balance()), language, outlook) for name in names],
    )


def _wallet(program: Program, name: str, balance: Balance, language: str, outlook: Outlook | None) -> WalletOut:
    points = program.points.get(name, PointType())
    value = None
    if points.value is not None:
        # Exact, and not rounded to the currency's smallest unit: who adds up wallets must not add up roundings.
        value = format(Decimal(balance.available).scaleb(-points.decimals) * points.value, "f")
    return WalletOut(
        points=name,
        name=name if points.name is None else points.name.in_locale(language, program.program.locale),
        decimals=points.decimals,
        available=balance.available,
        pending=balance.pending,
        held=balance.held,
        value=value,
        currency=program.program.currency,
        expiring=None if outlook is None else [AmountOnDay.of(one) for one in outlook.expiring.get(name, ())],
        releases=None if outlook is None else [AmountOnDay.of(one) for one in outlook.releases.get(name, ())],
    )


class LineOut(BaseModel):
    """One movement of points, from one account to another; `available`, `pending` and `held` are the member's own."""

    points: str = Field(examples=["stars"])
    amount: int = Field(examples=[25])
    source: str = Field(examples=["adjusted"])
    destination: str = Field(examples=["available"])
    campaign: str | None = Field(examples=["adjustment"])
    available_at: dt.datetime | None = Field(examples=[None])
    expires_at: dt.datetime | None = Field(examples=[None])
    balance_after: WalletBalance

    @classmethod
    def of(cls, line: StatementLine) -> "LineOut":
        """Show a line."""
        return cls(
            points=line.point_type,
            amount=line.amount,
            source=line.source,
            destination=line.destination,
            campaign=line.campaign,
            available_at=line.available_at,
            expires_at=line.expires_at,
            balance_after=WalletBalance.of(line.balance),
        )


class EntryOut(BaseModel):
    """One entry of a statement: what an event or a person did, newest line first."""

    id: str = Field(examples=[f"jrn_{'0' * 32}"])
    seq: int = Field(description="Number of the entry in the member's history, from 1.", examples=[1])
    kind: str = Field(examples=["adjustment"])
    event: str | None = Field(examples=[None])
    program_version: int | None = Field(examples=[None])
    occurred_at: dt.datetime = Field(examples=[_MOMENT])
    booked_at: dt.datetime = Field(examples=[_MOMENT])
    actor: str = Field(examples=["key:8mZqPr2XbA"])
    reason: str | None = Field(examples=["Lost parcel"])
    sentences: list[str] = Field(description="What happened, for the member, in the language asked for.", examples=[[]])
    lines: list[LineOut]

    @classmethod
    def of(cls, entry: StatementEntry, sentences: Sequence[str]) -> "EntryOut":
        """Show an entry."""
        return cls(
            id=format_id(ENTRY_PREFIX, entry.id),
            seq=entry.seq,
            kind=entry.kind,
            event=None if entry.event_id is None else format_id(EVENT_PREFIX, entry.event_id),
            program_version=entry.program_version,
            occurred_at=entry.occurred_at,
            booked_at=entry.booked_at,
            actor=entry.actor,
            reason=entry.reason,
            sentences=list(sentences),
            lines=[LineOut.of(line) for line in entry.lines],
        )


class AdjustmentIn(BaseModel):
    """Points to give or take by hand."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"points": "stars", "amount": 25, "reason": "Lost parcel"}]},
    )

    points: Identifier = Field(description="The point type.")
    amount: Annotated[int, Field(strict=True, ge=-LARGEST_AMOUNT, le=LARGEST_AMOUNT)] = Field(
        description="In the smallest unit of the point type; below 0 takes points; never 0."
    )
    reason: Reason
    expires_at: GivenMoment | None = Field(
        default=None, description="When points that are given end; without it, as if they had been earned now."
    )
    though_frozen: bool = Field(default=False, description="Take points although the member has frozen them.")


class AdjustmentOut(BaseModel):
    """What was booked, and the wallet right after it."""

    id: str = Field(examples=[f"jrn_{'0' * 32}"])
    member: str = Field(examples=[MEMBER_EXAMPLE])
    points: str = Field(examples=["stars"])
    amount: int = Field(examples=[25])
    balance_after: WalletBalance
    booked_at: dt.datetime = Field(examples=[_MOMENT])

    @classmethod
    def of(cls, adjusted: Adjusted) -> "AdjustmentOut":
        """Show an adjustment."""
        return cls(
            id=format_id(ENTRY_PREFIX, adjusted.entry_id),
            member=format_id(MEMBER_PREFIX, adjusted.member_id),
            points=adjusted.point_type,
            amount=adjusted.amount,
            balance_after=WalletBalance.of(adjusted.balance),
            booked_at=adjusted.booked_at,
        )
