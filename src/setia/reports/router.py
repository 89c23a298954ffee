"""`/v1/reports/reconciliation`: where all points went, and what is owed."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel, Field

from setia.api.documented import problems
from setia.api.strict import StrictRoute
from setia.identity.caller import MembersReader
from setia.ledger.reconciliation import Figures
from setia.program.definition import Program
from setia.reports.reconciliation import Reconciled, decimals_of, liability, reconcile_program
from setia.versions.service import NothingPublished

router = APIRouter(prefix="/v1/reports", tags=["reports"], route_class=StrictRoute)

At = Annotated[AwareDatetime | None, Query(description="A past moment, as `2026-03-01T09:00:00Z`; now without it.")]


class FiguresOut(BaseModel):
    """Sums in the smallest unit of the point type.

    issued - cancelled - redeemed - expired + adjusted_in - adjusted_out + transferred = outstanding.
    """

    issued: int = Field(description="Given by events.", examples=[120])
    cancelled: int = Field(description="Taken back as if never given.", examples=[0])
    redeemed: int = Field(examples=[40])
    expired: int = Field(examples=[10])
    adjusted_in: int = Field(description="Given by hand, or put back.", examples=[5])
    adjusted_out: int = Field(description="Taken by hand or by a campaign.", examples=[0])
    transferred: int = Field(description="Came in from other members, less what went out.", examples=[0])
    outstanding: int = Field(description="pending + available + held.", examples=[75])
    pending: int = Field(examples=[0])
    available: int = Field(examples=[75])
    held: int = Field(examples=[0])
    liability: str | None = Field(
        description="What the available and pending points are worth, in whole units of the currency, exact, by the "
        "value of the live version. Held points are not in it; balances below zero lower it. Null without a value.",
        examples=["2.25"],
    )

    @classmethod
    def of(cls, definition: Program, points: str, figures: Figures) -> FiguresOut:
        """Show figures."""
        owed = liability(definition, points, figures)
        return cls(
            **msgspec.structs.asdict(figures),
            outstanding=figures.outstanding,
            liability=None if owed is None else format(owed, "f"),
        )


class GroupOut(BaseModel):
    """Points of one type that one campaign gave in one month."""

    points: str = Field(examples=["stars"])
    month: str = Field(description="The local month in which they were earned.", examples=["2026-03"])
    campaign: str | None = Field(description="Null for what no campaign gave.", examples=["base"])
    figures: FiguresOut


class TotalOut(BaseModel):
    """All points of one type, against the wallets."""

    points: str = Field(examples=["stars"])
    decimals: int = Field(description="With 2, an amount of 150 is 1.50 points.", examples=[0])
    figures: FiguresOut
    wallets: int = Field(description="What the wallets hold.", examples=[75])
    difference: int = Field(description="The wallets less what the postings explain: 0.", examples=[0])


class ReconciliationOut(BaseModel):
    """Where all points went, by point type, month and campaign."""

    at: dt.datetime | None = Field(description="The moment it is for; null: as it is.", examples=[None])
    currency: str = Field(examples=["EUR"])
    agrees: bool = Field(description="Whether every difference is 0.", examples=[True])
    groups: list[GroupOut]
    totals: list[TotalOut]

    @classmethod
    def of(cls, done: Reconciled) -> ReconciliationOut:
        """Show a reconciliation."""
        definition = done.definition
        return cls(
            at=done.at,
            currency=definition.program.currency,
            agrees=done.report.agrees,
            groups=[
                GroupOut(
                    points=group.point_type,
                    month=group.month,
                    campaign=group.campaign or None,
                    figures=FiguresOut.of(definition, group.point_type, group.figures),
                )
                for group in done.report.groups
            ],
            totals=[
                TotalOut(
                    points=total.point_type,
                    decimals=decimals_of(definition, total.point_type),
                    figures=FiguresOut.of(definition, total.point_type, total.figures),
                    wallets=total.wallets,
                    difference=total.difference,
                )
                for total in done.report.totals
            ],
        )


@router.get("/reconciliation", summary="Reconcile all points", responses=problems(NothingPublished))
def get_reconciliation(caller: MembersReader, request: Request, at: At = None) -> ReconciliationOut:
    """What was issued, redeemed, expired, adjusted and is outstanding, equal to the wallets; and what it is worth."""
    return ReconciliationOut.of(reconcile_program(request.app.state.database, caller.program_id, at))
