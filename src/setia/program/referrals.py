"""Referrals: members bring friends, and both are rewarded at a chosen moment."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, StringConstraints, field_validator, model_serializer, model_validator

from setia.program.names import Identifier, Part, Period, Text
from setia.program.rewards import RewardPeriod

FingerprintKind = Literal["email", "phone", "card", "address", "device", "payment"]
FINGERPRINTS: tuple[FingerprintKind, ...] = get_args(FingerprintKind)
CODE_IN_LINK = "{code}"

REFERRAL_DATA = {
    "referral": "string",
    "level": "integer",
    "friend": "string",
    "referrer": "string",
    "wins": "integer",
    "order": "string",
    "amount": "number",
}
"""What `event.data` of the events of a referral holds."""

_WINS = re.compile(r"^\s*(\d{1,9})(?:\s+per\s+(day|week|month|quarter|year))?\s*$")
GRACE = Period(count=7, unit="days")
_Money = Annotated[Decimal, Field(ge=0, le=10**9, max_digits=19, decimal_places=9)]


class Wins(Part):
    """So many in each period of the program's calendar, written `10 per month`, or `10` for ever."""

    uses: Annotated[int, Field(ge=1, le=10**9)]
    every: RewardPeriod = "ever"

    @model_validator(mode="before")
    @classmethod
    def _from_short_form(cls, value: object) -> object:
        if isinstance(value, int) and not isinstance(value, bool):
            return {"uses": value}
        if not isinstance(value, str):
            return value
        match = _WINS.match(value)
        if match is None:
            message = f"{value!r} is not how often; write a number (10), or one and a period, such as `10 per month`"
            raise ValueError(message)
        return {"uses": int(match[1]), "every": match[2] or "ever"}

    @model_serializer
    def _to_short_form(self) -> Any:
        return self.uses if self.every == "ever" else f"{self.uses} per {self.every}"


class ReferralCaps(Part):
    """How often referrals can be won."""

    referrer: Wins | tuple[Wins, ...] = ()
    """How often one member wins by this kind, at any level; one cap or several."""

    @property
    def of_referrer(self) -> tuple[Wins, ...]:
        """The caps of one member, as a list."""
        return (self.referrer,) if isinstance(self.referrer, Wins) else self.referrer


class Referral(Part):
    """One way to refer friends. What both sides get, campaigns say: `on: referral_won` and `on: referral_joined`."""

    name: Text | None = None
    enabled: bool = True
    """Switched off: no new codes, invitations and friends; those under way go on."""
    reward_at: Literal["enrolled", "first_purchase", "purchase"] = "first_purchase"
    """When both sides are rewarded: the friend has enrolled, has bought first, or has bought for `at_least` so much."""
    at_least: _Money = Decimal(0)
    """What the friend's order must come to, on the program's money basis, after what has come back of it."""
    after: Period = Period(count=0, unit="days")
    """How long both wait: the time in which an order can be returned."""
    within: Period | None = None
    """How long after enrolling the friend must have bought."""
    grace: Period = GRACE
    """How long after `within` an order that occurred in time may be told: of a till that was offline, by an import."""
    caps: ReferralCaps = ReferralCaps()
    levels: Annotated[int, Field(ge=1, le=5)] = 1
    """1: the referrer wins; 2: who referred the referrer too, and so on."""
    blocks: tuple[FingerprintKind, ...] = FINGERPRINTS
    """Which of them the friend and the referrer may not have in common."""
    distinct: tuple[FingerprintKind, ...] = ()
    """Which of them two friends of one referrer may not have in common; the one who came first counts."""
    link: Annotated[str, StringConstraints(min_length=1, max_length=1000)] | None = None
    """The address that members share; it holds `{code}`."""

    @field_validator("link")
    @classmethod
    def _holds_the_code(cls, value: str | None) -> str | None:
        if value is not None and value.count(CODE_IN_LINK) != 1:
            message = f"{value!r} has no place for the code; write {CODE_IN_LINK} once, as in https://.../?ref={{code}}"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _about_orders(self) -> Referral:
        if self.reward_at == "enrolled" and (self.at_least or self.within is not None):
            word = "at_least" if self.at_least else "within"
            message = f"`{word}` is about a purchase, and the reward comes at the enrolment; remove one of them"
            raise ValueError(message)
        if self.grace != GRACE and self.within is None:
            message = "`grace` is how long an order may be told after `within`, and there is no `within`; remove one"
            raise ValueError(message)
        return self

    def link_of(self, code: str) -> str | None:
        """The link with a member's code in it."""
        return None if self.link is None else self.link.replace(CODE_IN_LINK, code)


Referrals = Annotated[dict[Identifier, Referral], Field(max_length=20)]
