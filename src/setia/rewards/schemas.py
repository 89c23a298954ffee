"""Rewards and redemptions as the API says them. Points and money are whole numbers of the smallest unit."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from setia.api.values import PlainText
from setia.db.ids import format_id
from setia.engine.compiled_rewards import CompiledReward
from setia.engine.reward_reasons import Reason
from setia.engine.rewards import Available, worth_of
from setia.engine.state import Balance
from setia.events.live import LiveProgram
from setia.members.schemas import MEMBER_EXAMPLE
from setia.program.names import Text
from setia.program.rewards import RewardKind
from setia.rewards.partner_schemas import DeliveryOut
from setia.rewards.redemption import REDEMPTION_PREFIX, Redemption, State, plain_reason
from setia.rewards.service import Offered

CODE_EXAMPLE = "7K2M9-XQ4TD-0HB3C-W8N5R"
REDEMPTION_EXAMPLE = f"red_{'0' * 32}"
_MOMENT = "2026-03-01T09:00:00Z"

Till = Annotated[
    PlainText,
    Field(min_length=1, max_length=63, description="The till or system that asks; its references are its own."),
]
Reference = Annotated[
    PlainText,
    Field(min_length=1, max_length=200, description="The till's own id of it, by which it is found again."),
]
RewardId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Amount = Annotated[int, Field(strict=True, ge=0, le=10**15 - 1)]
GiftCardId = Annotated[
    PlainText,
    Field(
        max_length=100,
        description="The card to load, where the reward is one; a new one is issued without it.",
        examples=[None],
    ),
]
CodeText = Annotated[PlainText, Field(min_length=1, max_length=100, examples=[CODE_EXAMPLE])]


class RedeemIn(BaseModel):
    """What is redeemed, for whom."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "member": MEMBER_EXAMPLE,
                    "reward": "free_coffee",
                    "confirm": True,
                    "till": "till-3",
                    "reference": "bon-4711",
                }
            ]
        },
    )

    member: str = Field(max_length=100, description="The member's id.", examples=[MEMBER_EXAMPLE])
    reward: RewardId = Field(examples=["free_coffee"])
    quantity: int = Field(default=1, strict=True, ge=1, le=10**9, examples=[1])
    date: RewardId | None = Field(default=None, description="The date of an experience.", examples=[None])
    confirm: bool = Field(default=False, strict=True, description="Redeem at once, in one step.", examples=[True])
    ttl: str | None = Field(
        default=None,
        max_length=10,
        description="How long it is held, in place of the reward's `hold`.",
        examples=["15min"],
    )
    till: Till = "api"
    reference: Reference | None = None
    gift_card: GiftCardId | None = None


class ConfirmIn(BaseModel):
    """How many of those held are redeemed."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"quantity": 1}]})

    quantity: int | None = Field(
        default=None, strict=True, ge=1, le=10**9, description="By default all; the rest comes back.", examples=[1]
    )
    gift_card: GiftCardId | None = None


class FulfilIn(BaseModel):
    """How far the delivery is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"state": "shipped"}]})

    state: Literal["open", "packed", "shipped", "delivered", "failed"] = Field(examples=["shipped"])


class ReleaseIn(BaseModel):
    """The use to take back."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"till": "till-3", "reference": "bon-4711"}]}
    )

    till: Till = "api"
    reference: Reference


class ImportIn(BaseModel):
    """Codes that were made elsewhere."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"codes": ["KINO-1111", "KINO-2222"]}]})

    codes: Annotated[list[CodeText], Field(min_length=1, max_length=10_000)]


class ReasonOut(BaseModel):
    """Why a reward cannot be had. Which members stand beside `code` depends on it."""

    model_config = ConfigDict(extra="allow")

    code: str = Field(examples=["points_missing"])

    @classmethod
    def of(cls, reason: Reason) -> ReasonOut:
        """A reason as the API says it."""
        return cls.model_validate(plain_reason(reason))


class PriceOut(BaseModel):
    """What is given for it."""

    points: dict[str, int] = Field(examples=[{"stars": 150}])
    money: int = Field(examples=[0])


class DateOut(BaseModel):
    """A date of an experience."""

    id: str = Field(examples=["march"])
    starts: dt.datetime = Field(examples=[_MOMENT])
    ends: dt.datetime | None = None
    place: str | None = None
    places: int | None = None


class RewardOut(BaseModel):
    """One reward of the catalogue."""

    id: str = Field(examples=["free_coffee"])
    kind: RewardKind
    name: str = Field(examples=["Free coffee"])
    description: str | None
    terms: str | None
    image: str | None
    price: PriceOut = Field(description="For one; what everybody pays where no other price holds.")
    worth: int | None = Field(description="What one takes off, or puts on a card.", examples=[None])
    percent: str | None = Field(description="What a discount takes off, in percent.", examples=[None])
    least: int = Field(description="How many are redeemed at once at least.", examples=[1])
    most: int = Field(description="And at most.", examples=[1])
    stock: int | None = Field(description="How many there are in all, taken ones included.", examples=[5000])
    valid_for: str | None = Field(description="How long it can be used.", examples=["30d"])
    items: list[str]
    dates: list[DateOut]
    partner: str | None

    @classmethod
    def of(cls, live: LiveProgram, reward: CompiledReward, language: str) -> RewardOut:
        """A reward in a language."""
        own, worth = reward.definition, reward.definition.worth
        default = live.compiled.definition.program.locale

        def text(value: Text | None) -> str | None:
            return None if value is None else value.in_locale(language, default)

        price = reward.prices[-1]
        return cls(
            id=reward.id,
            kind=own.kind,
            name=text(own.name) or reward.id,
            description=text(own.description),
            terms=text(own.terms),
            image=text(own.image),
            price=PriceOut(points=price.points, money=price.money),
            worth=worth_of(live.compiled, reward, 1),
            percent=None if worth is None or worth.percent is None else f"{worth.percent:f}",
            least=own.quantities.least,
            most=own.quantities.most,
            stock=own.stock,
            valid_for=None if own.valid_for is None else str(own.valid_for),
            items=list(own.items),
            dates=[
                DateOut(id=one.id, starts=one.starts, ends=one.ends, place=text(one.place), places=one.places)
                for one in own.dates
            ],
            partner=own.partner,
        )


class RewardsOut(BaseModel):
    """The catalogue."""

    rewards: list[RewardOut]


class OfferedOut(RewardOut):
    """A reward as one member sees it."""

    available: bool
    reasons: list[ReasonOut] = Field(description="Why not; empty where it is available.")

    @classmethod
    def seen(cls, live: LiveProgram, offered: Offered, language: str) -> OfferedOut:
        """A reward with the member's price and reasons."""
        plain = RewardOut.of(live, offered.reward, language).model_dump()
        found = offered.availability
        return cls(
            **{**plain, "price": PriceOut(points=offered.price.points, money=offered.price.money)},
            available=isinstance(found, Available),
            reasons=[] if isinstance(found, Available) else [ReasonOut.of(reason) for reason in found],
        )


class MemberRewardsOut(BaseModel):
    """The catalogue as one member sees it."""

    member: str = Field(examples=[MEMBER_EXAMPLE])
    rewards: list[OfferedOut]


class WalletAfterOut(BaseModel):
    """One wallet right after it."""

    available: int = Field(examples=[50])
    held: int = Field(examples=[150])


class RedemptionOut(BaseModel):
    """A redemption."""

    id: str = Field(examples=[REDEMPTION_EXAMPLE])
    member: str = Field(examples=[MEMBER_EXAMPLE])
    reward: str = Field(examples=["free_coffee"])
    state: State
    quantity: int = Field(description="How many were held or redeemed.", examples=[1])
    confirmed: int = Field(description="How many of them were redeemed.", examples=[1])
    price: PriceOut = Field(description="For those confirmed; of a hold, for all.")
    worth: int | None = Field(description="What its code is worth.", examples=[None])
    date: str | None = Field(examples=[None])
    till: str = Field(examples=["till-3"])
    reference: str | None = Field(examples=["bon-4711"])
    created_at: dt.datetime = Field(examples=[_MOMENT])
    hold_until: dt.datetime | None
    confirmed_at: dt.datetime | None
    ended_at: dt.datetime | None
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None
    fulfilment: str | None = Field(examples=[None])
    code: str | None = Field(
        default=None,
        description="Only in the answer that confirms it, and for a day in its repetition. A partner's, which comes "
        "later: for a day to keys with `rewards:redeem` that read the redemption.",
        examples=[CODE_EXAMPLE],
    )
    delivery: DeliveryOut | None = Field(
        default=None, description="Where a partner delivers it by webhook, when it is read by its id.", examples=[None]
    )
    balances_after: dict[str, WalletAfterOut] | None = Field(default=None, description="The wallets right after it.")

    @classmethod
    def of(
        cls,
        row: Redemption,
        now: dt.datetime,
        code: str | None = None,
        balances: dict[str, Balance] | None = None,
    ) -> RedemptionOut:
        """A redemption at a moment: a hold whose time has passed is shown as expired."""
        return cls.model_validate(plain_redemption(row, now, code, balances))


def plain_redemption(
    row: Redemption, now: dt.datetime, code: str | None = None, balances: dict[str, Balance] | None = None
) -> dict[str, Any]:
    """A redemption at a moment as plain values, those of `RedemptionOut` in their order."""
    number = row.confirmed or row.quantity
    wallets = None
    if balances is not None:
        wallets = {name: {"available": b.available, "held": b.held} for name, b in balances.items()}
    return {
        "id": format_id(REDEMPTION_PREFIX, row.id),
        "member": format_id("mem", row.member_id),
        "reward": row.reward,
        "state": row.state_at(now),
        "quantity": row.quantity,
        "confirmed": row.confirmed,
        "price": {"points": {points: amount * number for points, amount in row.cost.items()}, "money": row.money},
        "worth": row.worth,
        "date": row.date,
        "till": row.till,
        "reference": row.reference,
        "created_at": row.created_at,
        "hold_until": row.hold_until,
        "confirmed_at": row.confirmed_at,
        "ended_at": row.ended_at,
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
        "fulfilment": row.fulfilment,
        "code": code,
        "delivery": None,
        "balances_after": wallets,
    }


class CodeOut(BaseModel):
    """A code, as it stands."""

    hint: str = Field(description="The end of the code.", examples=["8N5R"])
    valid: bool
    reason: str | None = Field(description="Why it is not.", examples=[None])
    reward: str | None = Field(examples=["free_coffee"])
    kind: str | None = Field(examples=["voucher"])
    member: str | None = Field(examples=[MEMBER_EXAMPLE])
    redemption: str | None = Field(examples=[REDEMPTION_EXAMPLE])
    uses_left: int | None = Field(description="null: as often as it holds money.", examples=[1])
    money_left: int | None = Field(description="What it still holds.", examples=[None])
    off: int | None = Field(
        description="What it takes off the basket; null where too little was said of it.", examples=[None]
    )
    by_line: list[int] | None = Field(description="Its part of each line that was sent.", examples=[None])
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None


class UseOut(BaseModel):
    """A use of a code."""

    till: str = Field(examples=["till-3"])
    reference: str = Field(examples=["bon-4711"])
    amount: int | None = Field(description="The money it took from the card, or off the basket.", examples=[None])
    redeemed_at: dt.datetime = Field(examples=[_MOMENT])
    released_at: dt.datetime | None
    reward: str | None = Field(examples=["free_coffee"])
    uses_left: int | None
    money_left: int | None


class ImportedOut(BaseModel):
    """What became of imported codes."""

    pool: str = Field(examples=["cinema"])
    added: int = Field(examples=[500])
    known: int = Field(description="Those that were there already.", examples=[0])
    unusable: list[int] = Field(description="Places, from 1, of texts that are no codes.")


class PoolOut(BaseModel):
    """A pool of codes."""

    pool: str = Field(examples=["cinema"])
    codes: int = Field(examples=[500])
    left: int = Field(examples=[480])


class PoolsOut(BaseModel):
    """The pools of the program."""

    pools: list[PoolOut]
