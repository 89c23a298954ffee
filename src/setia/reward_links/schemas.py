"""Reward links as the API says them. Money is a whole number of the smallest unit of the link's currency."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from setia.api.values import Reason
from setia.db.ids import format_id
from setia.gift_cards.tendering import CARD_PREFIX
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.schemas import MEMBER_EXAMPLE
from setia.program.definition import Program
from setia.program.rewards import RewardKind
from setia.reward_links.choosing import Choice
from setia.reward_links.link import Fulfilment, Link, LinkState, LinkTotals
from setia.reward_links.service import Offered

LINK_PREFIX = "rwl"
LINK_EXAMPLE = f"rwl_{'0' * 32}"
TOKEN_EXAMPLE = "7K2M9-XQ4TD-0HB3C-W8N5R"  # noqa: S105 - an example
_MOMENT = "2026-03-01T09:00:00Z"
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


def _example(**values: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [values]})


class SendIn(BaseModel):
    """A link to be made."""

    model_config = _example(kind="thank_you", amount=5000, reason="referral of ACME won")

    kind: Name = Field(description="One of the definition's `reward_links`.", examples=["thank_you"])
    amount: int | None = Field(
        default=None,
        strict=True,
        ge=1,
        le=10**13,
        description="What it is worth; as much as its kind says without it.",
        examples=[5000],
    )
    valid_for: str | None = Field(
        default=None, max_length=10, description="How long it is good, in place of its kind's.", examples=["30d"]
    )
    member: str | None = Field(
        default=None, max_length=100, description="Who gets it, if that is a member.", examples=[MEMBER_EXAMPLE]
    )
    reason: Reason | None = Field(default=None, description="Why it is sent. The recipient does not see it.")


class ChooseIn(BaseModel):
    """What the recipient chooses."""

    model_config = _example(reward="voucher")

    reward: Name = Field(examples=["voucher"])


class FulfilLinkIn(BaseModel):
    """How far the delivery is."""

    model_config = _example(state="shipped")

    state: Literal["open", "packed", "shipped", "delivered", "failed"] = Field(examples=["shipped"])


class LinkOut(BaseModel):
    """A reward link."""

    id: str = Field(examples=[LINK_EXAMPLE])
    kind: str = Field(examples=["thank_you"])
    state: LinkState = Field(examples=["sent"])
    amount: int = Field(examples=[5000])
    currency: str = Field(examples=["GBP"])
    member: str | None = Field(examples=[None])
    reason: str | None = Field(examples=["referral of ACME won"])
    created_at: dt.datetime = Field(examples=[_MOMENT])
    expires_at: dt.datetime = Field(examples=[_MOMENT])
    opened_at: dt.datetime | None = Field(description="When somebody, or a mail filter, looked at it first.")
    chosen_at: dt.datetime | None
    withdrawn_at: dt.datetime | None
    reward: str | None = Field(description="What was chosen.", examples=[None])
    card: str | None = Field(description="The gift card that was issued for it.", examples=[None])
    fulfilment: Fulfilment | None = Field(examples=[None])
    token: str | None = Field(
        default=None,
        description="What makes its address, `/v1/links/{token}`: only in the answer that makes it, and in its "
        "repetition until it has ended.",
        examples=[TOKEN_EXAMPLE],
    )

    @classmethod
    def of(cls, link: Link, now: dt.datetime) -> LinkOut:
        """A link at a moment."""
        shown = {name: getattr(link, name) for name in cls.model_fields if hasattr(link, name)}
        return cls(
            **shown | {"id": format_id(LINK_PREFIX, link.id), "state": link.state_at(now)},
            member=None if link.member_id is None else format_id(MEMBER_PREFIX, link.member_id),
            card=None if link.card_id is None else format_id(CARD_PREFIX, link.card_id),
        )


class ChoiceOut(BaseModel):
    """A reward to choose."""

    reward: str = Field(examples=["voucher"])
    kind: RewardKind = Field(examples=["gift_card"])
    name: str = Field(examples=["Voucher"])
    description: str | None = Field(examples=[None])
    image: str | None = Field(examples=[None])

    @classmethod
    def of(cls, choice: Choice, language: str, default: str) -> ChoiceOut:
        """A choice in a language."""
        reward = choice.reward
        return cls(
            reward=choice.id,
            kind=reward.kind,
            name=choice.id if reward.name is None else reward.name.in_locale(language, default),
            description=None if reward.description is None else reward.description.in_locale(language, default),
            image=None if reward.image is None else reward.image.in_locale(language, default),
        )


class OpenedOut(BaseModel):
    """A link as its recipient sees it."""

    program: str = Field(description="Who has sent it.", examples=["Bean Club"])
    name: str | None = Field(examples=["Thank you"])
    description: str | None = Field(examples=[None])
    state: LinkState = Field(examples=["opened"])
    amount: int = Field(examples=[5000])
    currency: str = Field(examples=["GBP"])
    expires_at: dt.datetime = Field(examples=[_MOMENT])
    choices: list[ChoiceOut]
    reward: str | None = Field(description="What was chosen.", examples=[None])
    code: str | None = Field(description="Its code, for a day after the choice, until it is used.", examples=[None])

    @classmethod
    def of(cls, offered: Offered, language: str) -> OpenedOut:
        """A link in a language."""
        program: Program = offered.definition
        default = program.program.locale
        link, kind = offered.link, program.reward_links.get(offered.link.kind)
        name, description = (None, None) if kind is None else (kind.name, kind.description)
        return cls(
            program=program.program.name.in_locale(language, default),
            name=None if name is None else name.in_locale(language, default),
            description=None if description is None else description.in_locale(language, default),
            state=link.state_at(offered.now),
            amount=link.amount,
            currency=link.currency,
            expires_at=link.expires_at,
            choices=[ChoiceOut.of(one, language, default) for one in offered.choices],
            reward=link.reward,
            code=offered.code,
        )


class ChosenOut(BaseModel):
    """What was chosen."""

    reward: str = Field(examples=["voucher"])
    amount: int = Field(examples=[5000])
    currency: str = Field(examples=["GBP"])
    chosen_at: dt.datetime | None = Field(examples=[_MOMENT])
    code: str | None = Field(description="Null for what is delivered.", examples=[TOKEN_EXAMPLE])


class LinkTotalsOut(BaseModel):
    """The links of one kind and currency that were made in the time asked for."""

    kind: str = Field(examples=["thank_you"])
    currency: str = Field(examples=["GBP"])
    sent: int = Field(examples=[1900])
    opened: int = Field(description="Of them, redeemed ones too.", examples=[1500])
    redeemed: int = Field(examples=[1200])
    expired: int = Field(examples=[300])
    withdrawn: int = Field(examples=[0])
    sent_amount: int = Field(description="What all are worth.", examples=[9500000])
    cost: int = Field(
        description="What the redeemed ones come to: the program pays only for these.", examples=[6000000]
    )
    open_amount: int = Field(description="What those come to that can still be chosen.", examples=[2000000])

    @classmethod
    def of(cls, totals: LinkTotals) -> LinkTotalsOut:
        """One line of the report."""
        return cls(**totals._asdict())


class LinkReportOut(BaseModel):
    """The figures of reward links."""

    totals: list[LinkTotalsOut]
