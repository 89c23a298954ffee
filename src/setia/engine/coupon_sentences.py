"""One sentence for each coupon that was granted, given back or taken back, for members."""

from __future__ import annotations

from setia.engine.compiled import CompiledProgram
from setia.engine.coupon_change import CouponChange
from setia.engine.facts import decimal_of
from setia.engine.lot_sentences import last_day
from setia.engine.wording import DAYS, Language, campaign_name, number

_WORDS: dict[str, dict[Language, str]] = {
    "granted": {
        "en": "A coupon for a later order: “{campaign}”.",
        "de": "Ein Gutschein für eine spätere Bestellung: „{campaign}“.",
        "ms": "Kupon untuk pesanan akan datang: “{campaign}”.",
    },
    "granted_worth": {
        "en": "A coupon of {amount} {currency} for a later order: “{campaign}”.",
        "de": "Ein Gutschein über {amount} {currency} für eine spätere Bestellung: „{campaign}“.",
        "ms": "Kupon bernilai {amount} {currency} untuk pesanan akan datang: “{campaign}”.",
    },
    "used": {
        "en": "A coupon of “{campaign}” is used again.",
        "de": "Ein Gutschein für „{campaign}“ ist wieder eingelöst.",
        "ms": "Kupon “{campaign}” digunakan semula.",
    },
    "restored": {
        "en": "A coupon of “{campaign}” can be used again.",
        "de": "Ein Gutschein für „{campaign}“ kann wieder eingelöst werden.",
        "ms": "Kupon “{campaign}” boleh digunakan semula.",
    },
    "restored_worth": {
        "en": "{amount} {currency} are back on a coupon of “{campaign}”.",
        "de": "{amount} {currency} sind wieder auf einem Gutschein für „{campaign}“.",
        "ms": "{amount} {currency} dikembalikan kepada kupon “{campaign}”.",
    },
    "cancelled": {
        "en": "The coupon of “{campaign}” is not valid any more: its order came back.",
        "de": "Der Gutschein für „{campaign}“ gilt nicht mehr: Seine Bestellung kam zurück.",
        "ms": "Kupon “{campaign}” tidak lagi sah: pesanannya dipulangkan.",
    },
    "changed": {
        "en": "The coupon of “{campaign}” holds {amount} {currency} less: a part of its order came back.",
        "de": "Der Gutschein für „{campaign}“ hält {amount} {currency} weniger: Ein Teil seiner Bestellung kam zurück.",
        "ms": "Kupon “{campaign}” kurang {amount} {currency}: sebahagian pesanannya dipulangkan.",
    },
    "changed_up": {
        "en": "The coupon of “{campaign}” holds {amount} {currency} more.",
        "de": "Der Gutschein für „{campaign}“ hält {amount} {currency} mehr.",
        "ms": "Kupon “{campaign}” bertambah {amount} {currency}.",
    },
    "revived": {
        "en": "The coupon of “{campaign}” is valid again.",
        "de": "Der Gutschein für „{campaign}“ gilt wieder.",
        "ms": "Kupon “{campaign}” sah semula.",
    },
    "until": {"en": " Until {day}.", "de": " Bis {day}.", "ms": " Sehingga {day}."},
}


def coupon_sentences(
    program: CompiledProgram, changes: list[CouponChange], language: Language, *, of_return: bool
) -> list[str]:
    """What was done to coupons. What an order used of them is told with what they took off."""
    return [_sentence(program, one, language) for one in changes if of_return or one.what != "used"]


def _sentence(program: CompiledProgram, change: CouponChange, language: Language) -> str:
    kind: str = change.what
    if kind in {"granted", "restored"} and change.amount is not None:
        kind += "_worth"
    elif kind == "changed" and (change.amount or 0) > 0:
        kind = "changed_up"
    sentence = _WORDS[kind][language].format(
        campaign=campaign_name(program, change.campaign, language),
        amount=number(format(decimal_of(abs(change.amount or 0), program.currency_digits), "f"), language),
        currency=program.definition.program.currency,
    )
    if change.what == "granted" and change.ends is not None:
        day = last_day(program, change.ends).strftime(DAYS[language])
        sentence += _WORDS["until"][language].format(day=day)
    return sentence
