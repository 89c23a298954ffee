"""Coupons in a definition: the short form, and what cannot be."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from setia.program.coupons import CouponGift, Coupons
from setia.program.discounts import Discount


@pytest.mark.parametrize(("written", "read"), [(True, Coupons()), ({}, Coupons()), (False, None), (None, None)])
def test_a_flag_stands_for_all_defaults(written: object, read: object) -> None:
    assert Discount.model_validate({"percent": 5, "coupon": written}).coupon == read


def test_defaults_are_written_as_a_flag() -> None:
    discount = Discount.model_validate({"percent": 5, "coupon": {"uses": 3}})
    assert discount.model_dump(exclude_defaults=True)["coupon"] == {"uses": 3}
    short = Discount.model_validate({"percent": 5, "coupon": True})
    assert short.model_dump(exclude_defaults=True)["coupon"] is True
    assert Discount.model_validate_json(short.model_dump_json()) == short


@pytest.mark.parametrize(
    ("discount", "message"),
    [
        ({"coupon": True}, "exactly one of"),
        ({"coupon": {"amount": "own"}, "percent": 5}, "so remove `percent`"),
        ({"coupon": {"amount": "own"}, "codes": ["A"]}, "`codes` have none"),
        ({"coupon": {"amount": "own"}, "on": "lines"}, "remove what picks units"),
        ({"coupon": {"amount": "own"}, "units": 2}, "remove what picks units"),
        ({"coupon": {"amount": "own"}, "buy": {}}, "remove `buy`"),
        ({"coupon": {"amount": "own"}, "at_most": 5}, "remove `at_most`"),
        ({"coupon": {"amount": "own", "uses": 2}}, "remove `uses`"),
        ({"percent": 5, "coupon": {"valid_for": "0d"}}, "valid for no time"),
    ],
)
def test_what_cannot_be_is_refused(discount: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Discount.model_validate(discount)


@pytest.mark.parametrize(
    ("gift", "message"),
    [
        ({"amount": 5, "percent": 5}, "remove one of them"),
        ({"amount": 5, "step": 1}, "`step` is about a `percent`"),
        ({"at_least": 5}, "`at_least` is about a `percent`"),
        ({"percent": 5, "at_least": 5, "at_most": 4}, "raise `at_most`"),
        ({"valid_for": "0d"}, "valid for no time"),
    ],
)
def test_a_gift_that_cannot_be_is_refused(gift: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CouponGift.model_validate({"of": "next", **gift})
