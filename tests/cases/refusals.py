"""What sources call a refusal, and what Setia calls it."""

from __future__ import annotations

from typing import Any

from cases.words import plain

_NAMES: dict[str, tuple[str, ...]] = {
    "not enough points": ("points_missing", "insufficient_points", "insufficient_funds"),
    "bad request": ("insufficient_points", "invalid_adjustment"),
    "below minimum": ("quantity", "order_too_small", "condition", "amount_too_small", "below_minimum", "too_few"),
    "above maximum": ("quantity", "amount_too_large", "too_many"),
    "out of stock": ("out_of_stock", "no_codes_left", "total_limit"),
    "limit reached": ("member_limit", "total_limit", "used_up", "limit", "quota", "too_often"),
    "unknown code": ("unknown", "void", "not_found"),
    "expired": ("expired", "schedule", "closed_now"),
    "not active yet": ("not_yet", "schedule"),
    "tier too low": ("level_needed",),
    "not allowed": ("points_not_transferable", "forbidden", "not_for_member", "level_needed"),
    "not eligible": ("condition", "not_for_member", "lines", "not_yours", "level_needed"),
    "existing discount is better": ("group",),
    "not combinable": ("group", "exclusive", "another_code"),
}
_OTHERS = {
    **dict.fromkeys(("insufficient points", "insufficient balance", "not enough balance"), "not enough points"),
    **dict.fromkeys(
        ("minimum not met", "minimum not reached", "min order not met", "below minimum order"), "below minimum"
    ),
    **dict.fromkeys(("sold out", "no stock", "usage limit exceeded"), "out of stock"),
    **dict.fromkeys(("already used", "used", "used up", "no uses left", "limit exceeded", "too many"), "limit reached"),
    **dict.fromkeys(("invalid code", "code not found", "not found", "invalid"), "unknown code"),
    **dict.fromkeys(("code expired", "coupon expired", "ended", "not active"), "expired"),
    **dict.fromkeys(("not started", "not yet active", "too early"), "not active yet"),
    **dict.fromkeys(("tier required", "level too low", "wrong tier"), "tier too low"),
    **dict.fromkeys(("conditions not met", "not applicable"), "not eligible"),
    **dict.fromkeys(("not stackable", "exclusive", "cannot be combined"), "not combinable"),
    **dict.fromkeys(("exceeds maximum", "over the limit"), "above maximum"),
}


def named(wanted: Any, reasons: list[str]) -> Any:
    """A refusal as a case calls it: its own word where one of our `reasons` is what it means, else our first one."""
    word = plain(wanted)
    ours = _NAMES.get(_OTHERS.get(word, word), ())
    return wanted if any(reason in ours or plain(reason) == word for reason in reasons) else reasons[0]
