"""Coupons as the API says them. Money is decimal text of the program's currency."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from setia.api.moments import GivenMoment
from setia.api.values import PlainText
from setia.coupons.coupon import State
from setia.coupons.making import MOST_AT_ONCE, Coupon
from setia.coupons.service import Shown
from setia.coupons.using import PREFIX
from setia.db.ids import format_id
from setia.engine.facts import decimal_of
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.schemas import MEMBER_EXAMPLE

COUPON_EXAMPLE = f"{PREFIX}_{'0' * 32}"
CODE_EXAMPLE = "7K2M9-XQ4TD-0HB3C-W8N5R"

_EARLIEST = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)


def _not_before(moment: dt.datetime) -> dt.datetime:
    if moment < _EARLIEST:
        message = f"a moment lies after the year {_EARLIEST.year - 1}"
        raise ValueError(message)
    return moment


Moment = Annotated[GivenMoment, AfterValidator(_not_before)]
"""What every calendar can hold, and something added to it or taken from it."""
CampaignName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Batch = Annotated[PlainText, Field(min_length=1, max_length=100)]
Money = Annotated[Decimal, Field(gt=0, le=10**11, max_digits=21, decimal_places=9)]


class CouponTerms(BaseModel):
    """What all coupons of one request have in common."""

    model_config = ConfigDict(extra="forbid")

    campaign: CampaignName = Field(description="The promotion they are for.", examples=["next_order"])
    amount: Money | None = Field(default=None, description="The money each holds, of coupons that hold money.")
    uses: int | None = Field(
        default=None,
        strict=True,
        ge=1,
        le=1_000_000,
        description="How often each can be used, in place of what the promotion says.",
    )
    starts: Moment | None = Field(default=None, description="From when they can be used; by default at once.")
    ends: Moment | None = Field(
        default=None, description="Until when; by default as the promotion says, and never longer than it runs."
    )
    batch: Batch | None = Field(default=None, description="A name of yours, by which they are listed.")


class CouponsIn(CouponTerms):
    """Coupons to make: one for each of `members`, or `count` that everybody can use."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"campaign": "next_order", "count": 2, "batch": "spring letter"}]},
    )

    count: int | None = Field(default=None, strict=True, ge=1, le=MOST_AT_ONCE)
    members: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=MOST_AT_ONCE)] = Field(
        default=[], description="Ids of members; nobody else can use theirs.", examples=[[MEMBER_EXAMPLE]]
    )


class CodesIn(CouponTerms):
    """Codes that were made elsewhere, each of which becomes a coupon that everybody can use."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"campaign": "next_order", "codes": ["SPRING-0001"]}]}
    )

    codes: Annotated[list[Annotated[str, Field(max_length=200)]], Field(min_length=1, max_length=MOST_AT_ONCE)] = Field(
        description="Capitals, dashes and blanks do not matter.", examples=[["SPRING-0001"]]
    )


class LookupIn(BaseModel):
    """A code to look up."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"code": CODE_EXAMPLE}]})

    code: Annotated[PlainText, Field(min_length=1, max_length=100)] = Field(examples=[CODE_EXAMPLE])


class MadeOut(BaseModel):
    """A coupon that was made, with its code."""

    id: str = Field(examples=[COUPON_EXAMPLE])
    code: str = Field(examples=[CODE_EXAMPLE])
    member: str | None = Field(examples=[MEMBER_EXAMPLE])

    @classmethod
    def of(cls, made: Coupon) -> MadeOut:
        """A coupon as it was made."""
        member = None if made.member is None else format_id(MEMBER_PREFIX, made.member)
        return cls(id=format_id(PREFIX, made.id), code=made.code, member=member)


class CouponsMadeOut(BaseModel):
    """The coupons that were made, in the order of the members."""

    coupons: list[MadeOut]


class BroughtOut(BaseModel):
    """What became of codes."""

    added: int = Field(examples=[1])
    known: int = Field(description="Those the program knew stay as they are.", examples=[0])
    unusable: list[int] = Field(
        description="Places (from 1) of texts that are no codes: 6 to 100 ASCII characters, and no promotion's own."
    )


class CouponUseOut(BaseModel):
    """What one order used of a coupon."""

    event: str = Field(description="The order's event.", examples=[f"evt_{'0' * 32}"])
    member: str = Field(examples=[MEMBER_EXAMPLE])
    used_at: dt.datetime
    amount: str | None = Field(description="The money it took of a coupon that holds some.", examples=["5.00"])
    restored: str | None = Field(description="What of that came back with goods of the order.", examples=["0.00"])
    is_restored: bool = Field(description="Whether the use itself has come back.")
    by_hand: bool = Field(description="Whether a person gave it back; returns of the order then change nothing.")


class CouponOut(BaseModel):
    """A coupon and how it stands."""

    id: str = Field(examples=[COUPON_EXAMPLE])
    campaign: str = Field(description="The promotion it is for.", examples=["next_order"])
    state: State = Field(description="What can be done with it now.")
    code: str | None = Field(description="Where Setia made it; of imported ones nobody can read it.")
    hint: str = Field(description="What may be seen of its code.", examples=["7K2M9-XQ4TD-…"])
    member: str | None = Field(description="Whose it is; null: everybody can use it.")
    amount: str | None = Field(description="The money it held at first.", examples=["10.00"])
    left: str | None = Field(description="The money it still holds.", examples=["10.00"])
    uses: int | None = Field(description="How often it can be used; null: without end, or as long as it holds money.")
    used: int = Field(examples=[0])
    starts: dt.datetime
    ends: dt.datetime | None
    created_at: dt.datetime
    voided_at: dt.datetime | None
    voided_by: str | None = Field(description="Who withdrew it: an API key.")
    granted_by: str | None = Field(description="The campaign that granted it.")
    event: str | None = Field(description="The event that granted it.")
    batch: str | None

    @classmethod
    def of(cls, shown: Shown, digits: int) -> CouponOut:
        """A coupon at a moment."""
        row = shown.row
        return cls(
            id=format_id(PREFIX, row.id),
            campaign=row.campaign,
            state=row.state_at(shown.now),
            code=shown.code,
            hint=row.hint,
            member=None if row.member_id is None else format_id(MEMBER_PREFIX, row.member_id),
            amount=money(row.worth, digits),
            left=money(row.left, digits),
            uses=row.uses,
            used=row.used,
            starts=row.starts,
            ends=row.ends,
            created_at=row.created_at,
            voided_at=row.voided_at,
            voided_by=row.voided_by,
            granted_by=row.granted_by,
            event=None if row.event_id is None else format_id("evt", row.event_id),
            batch=row.batch,
        )


class CouponWithUsesOut(BaseModel):
    """A coupon with what orders have used of it, in time."""

    coupon: CouponOut
    used_with: list[CouponUseOut]

    @classmethod
    def of(cls, shown: Shown, digits: int) -> CouponWithUsesOut:
        """A coupon at a moment, with its uses."""
        uses = [
            CouponUseOut(
                event=format_id("evt", use.event_id),
                member=format_id(MEMBER_PREFIX, use.member_id),
                used_at=use.used_at,
                amount=money(use.amount, digits),
                restored=None if use.amount is None else money(use.restored, digits),
                is_restored=use.is_restored,
                by_hand=use.by_hand,
            )
            for use in shown.uses
        ]
        return cls(coupon=CouponOut.of(shown, digits), used_with=uses)


def money(amount: int | None, digits: int) -> str | None:
    """Money as decimal text."""
    return None if amount is None else format(decimal_of(amount, digits), "f")
