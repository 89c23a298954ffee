"""What callers are told about coupons: which were granted, used and given back."""

from __future__ import annotations

from typing import Any

import msgspec

from setia.coupons.codes import CouponCodes
from setia.coupons.using import PREFIX
from setia.db.ids import parse_id
from setia.engine.compiled import CompiledProgram
from setia.engine.coupon_change import CouponChange
from setia.engine.facts import decimal_of
from setia.engine.wording import campaign_name


class CouponChangeOut(msgspec.Struct, omit_defaults=True):
    """What an event did to one coupon of a promotion, `campaign`. Money is decimal text.

    `what`: `granted` by the campaign `by`, with its `code`, usable from `starts` until `ends`; `used`, which took
    `amount` of the money it holds; `restored`: so much came back to it; `changed`, `cancelled` or `revived` with the
    order that had granted it, by `amount`, and `wanted` where the rest had been spent. `uses` were used, or came back.
    """

    what: str
    coupon: str | None
    campaign: str
    name: str
    by: str | None = None
    amount: str | None = None
    wanted: str | None = None
    uses: int = 0
    code: str | None = None
    starts: Any = None
    ends: Any = None


def coupons_out(program: CompiledProgram | None, changes: list[CouponChange], locale: str) -> list[CouponChangeOut]:
    """The changes of an outcome in words of `locale`; codes are put in by who knows the secret."""
    if program is None:
        return []

    def money(amount: int | None) -> str | None:
        return None if amount is None else format(decimal_of(amount, program.currency_digits), "f")

    return [
        CouponChangeOut(
            what=one.what,
            coupon=one.coupon or None,
            campaign=one.campaign,
            name=campaign_name(program, one.campaign, locale),
            by=one.by,
            amount=money(one.amount),
            wanted=money(one.wanted),
            uses=one.uses,
            starts=one.starts,
            ends=one.ends,
        )
        for one in changes
    ]


def with_codes(changes: list[CouponChangeOut], codes: CouponCodes, program_id: int) -> None:
    """Put in the codes of coupons that were granted: whoever asked may hand them out."""
    for one in changes:
        if one.what == "granted" and one.coupon is not None:
            one.code = codes.code_of(program_id, parse_id(PREFIX, one.coupon))
