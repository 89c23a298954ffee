"""Referrals as the API says them. Points and money are whole numbers of the smallest unit."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from setia.db.ids import format_id
from setia.events.live import LiveProgram
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.schemas import MEMBER_EXAMPLE, Fingerprints, IdentifierText
from setia.program.definition import Program
from setia.referrals.due import REFERRAL_PREFIX
from setia.referrals.funnel import PeriodOf, worth_of
from setia.referrals.referral import Reason, Row, State
from setia.referrals.service import OfMember

REFERRAL_EXAMPLE = f"{REFERRAL_PREFIX}_01989f2e5c0070008000000000000002"
_MOMENT = "2026-03-01T09:00:00Z"
_CODE = "7KM9XQ4TDH"
_LINK = "https://shop.example/join?ref=7KM9XQ4TDH"
MOST_MEMBERS = 5_000

ReferralName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
MemberText = Annotated[str, Field(max_length=100)]
_NAMED: Any = Field(default=None, description="The kind of referral; needed where the program has several.")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CodesIn(_Strict):
    """Who gets a code."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"members": [MEMBER_EXAMPLE]}]})

    members: list[MemberText] = Field(min_length=1, max_length=MOST_MEMBERS, description="The members' ids.")
    referral: ReferralName | None = _NAMED


class CodeOut(BaseModel):
    """A member's code and link, to be shared."""

    member: str
    referral: str
    code: str
    link: str | None = Field(description="Null where the program says no `link`.")

    @classmethod
    def of(cls, live: LiveProgram, member: str, referral: str, code: str) -> CodeOut:
        """Show a code. Of a kind that is no longer in the program there is no link."""
        definition = live.compiled.definition.referrals.get(referral)
        return cls(
            member=member,
            referral=referral,
            code=code,
            link=None if definition is None else definition.link_of(code),
        )


class CodesOut(BaseModel):
    """Codes, in the order in which members were named."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "codes": [{"member": MEMBER_EXAMPLE, "referral": "friends", "code": _CODE, "link": _LINK}],
                    "unknown": [],
                }
            ]
        }
    )

    codes: list[CodeOut]
    unknown: list[str] = Field(description="Who is no member of this program, or a closed one.")


class FriendIn(_Strict):
    """How a friend is invited: by one of them."""

    email: IdentifierText | None = None
    phone: IdentifierText | None = None


class InviteIn(_Strict):
    """Who invites whom."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"referrer": MEMBER_EXAMPLE, "friend": {"email": "bob@example.com"}}]},
    )

    referrer: MemberText = Field(description="The member's id.")
    friend: FriendIn
    referral: ReferralName | None = _NAMED


class InvitedOut(BaseModel):
    """An invitation as the one who invites may see it: it tells nothing of the friend."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"id": REFERRAL_EXAMPLE, "referral": "friends", "referrer": MEMBER_EXAMPLE, "invited_at": _MOMENT}
            ]
        }
    )

    id: str
    referral: str
    referrer: str
    invited_at: dt.datetime

    @classmethod
    def of(cls, row: Row) -> InvitedOut:
        """Show it."""
        return cls(
            id=format_id(REFERRAL_PREFIX, row.id),
            referral=row.referral,
            referrer=format_id(MEMBER_PREFIX, row.referrer_id),
            invited_at=row.created_at,
        )


class ReferralOut(BaseModel):
    """One referral."""

    id: str
    referral: str
    referrer: str
    friend: str | None = Field(description="The member that the friend became.")
    state: State
    reason: Reason | None = Field(description="Why it is `void` or `blocked`.")
    began_at: dt.datetime
    joined_at: dt.datetime | None
    qualified_at: dt.datetime | None
    due_at: dt.datetime | None = Field(description="When it is rewarded, or looked at again.")
    ended_at: dt.datetime | None
    order: str | None = Field(description="The event of the friend's order.")
    amount: int | None = Field(description="What counted of that order, in the smallest unit of the currency.")

    @classmethod
    def of(cls, row: Row) -> ReferralOut:
        """Show it."""
        return cls(
            id=format_id(REFERRAL_PREFIX, row.id),
            referral=row.referral,
            referrer=format_id(MEMBER_PREFIX, row.referrer_id),
            friend=None if row.friend_id is None else format_id(MEMBER_PREFIX, row.friend_id),
            state=row.state,
            reason=row.reason,
            began_at=row.created_at,
            joined_at=row.joined_at,
            qualified_at=row.qualified_at,
            due_at=row.due_at,
            ended_at=row.ended_at,
            order=None if row.order_id is None else format_id("evt", row.order_id),
            amount=row.amount,
        )


class MemberReferralsOut(BaseModel):
    """What a member has to share, and what became of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "member": MEMBER_EXAMPLE,
                    "codes": [{"member": MEMBER_EXAMPLE, "referral": "friends", "code": _CODE, "link": _LINK}],
                    "counts": {"joined": 2, "won": 1},
                }
            ]
        }
    )

    member: str
    codes: list[CodeOut]
    counts: dict[str, int] = Field(description="How many friends are in each state.")

    @classmethod
    def of(cls, member: str, found: OfMember) -> MemberReferralsOut:
        """Show it."""
        codes = [CodeOut.of(found.live, member, referral, code) for referral, code in found.codes]
        return cls(member=member, codes=codes, counts=found.counts)


class FingerprintsIn(_Strict):
    """What a member may not have in common with a friend."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"fingerprints": {"device": "d-81f0", "payment": ["p-77"]}}]}
    )

    fingerprints: Fingerprints = Field(min_length=1)


class KeptOut(BaseModel):
    """How many were given, by kind. Their values cannot be read again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"kept": {"device": 1, "payment": 1}}]})

    kept: dict[str, int]


class CostOut(BaseModel):
    """What referrals have given to both sides."""

    points: dict[str, int] = Field(description="Point type -> smallest units.")
    value: str | None = Field(description="In money by today's value; null where points have none.", examples=["15.00"])

    @classmethod
    def of(cls, definition: Program, digits: int, points: dict[str, int]) -> CostOut:
        """Show it."""
        worth = worth_of(definition, points)
        return cls(points=points, value=None if worth is None else f"{round(worth, digits):.{digits}f}")


class GroupOut(CostOut):
    """Referrals in one state."""

    count: int


class PeriodOut(BaseModel):
    """The referrals that began in one period."""

    period: str = Field(examples=["2026-03"])
    began: int
    joined: int = Field(description="How many friends enrolled.")
    qualified: int = Field(description="How many of them did what is rewarded.")
    won: int
    states: dict[State, GroupOut] = Field(description="Where they are now.")
    cost: CostOut


class FunnelOut(BaseModel):
    """The funnel, by the period in which referrals began."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "every": "month",
                    "periods": [
                        {
                            "period": "2026-03",
                            "began": 3,
                            "joined": 2,
                            "qualified": 1,
                            "won": 1,
                            "states": {"won": {"count": 1, "points": {"stars": 550}, "value": "16.50"}},
                            "cost": {"points": {"stars": 550}, "value": "16.50"},
                        }
                    ],
                }
            ]
        }
    )

    every: Literal["day", "week", "month", "quarter", "year", "ever"]
    periods: list[PeriodOut]


def period_out(live: LiveProgram, found: PeriodOf) -> PeriodOut:
    """Show one period."""
    definition, digits = live.compiled.definition, live.compiled.currency_digits
    costs = {state: CostOut.of(definition, digits, group.points) for state, group in found.states.items()}
    return PeriodOut.model_validate(
        {
            "period": found.period,
            "began": found.began,
            "joined": found.joined,
            "qualified": found.qualified,
            "won": found.states["won"].count if "won" in found.states else 0,
            "states": {
                state: {"count": group.count, **costs[state].model_dump()} for state, group in found.states.items()
            },
            "cost": CostOut.of(definition, digits, found.points),
        }
    )
