"""Sentences about what somebody did to points: given or taken by hand, reviewed, frozen, bought."""

from __future__ import annotations

from setia.engine.compiled import CompiledProgram
from setia.engine.coupon_sentences import coupon_sentences
from setia.engine.decision import Outcome, PointsEffect
from setia.engine.exact import in_units
from setia.engine.lot_sentences import REVIEWED, move_sentences, points_name
from setia.engine.sentences import adjustment_sentence
from setia.engine.tier_sentences import tier_sentences
from setia.engine.wording import Language, language_of, number

_FROZEN: dict[bool, dict[Language, str]] = {
    True: {
        "en": "Points frozen: they cannot be spent for now.",
        "de": "Punkte eingefroren: Sie können vorerst nicht eingelöst werden.",
        "ms": "Mata dibekukan: buat masa ini tidak boleh digunakan.",
    },
    False: {
        "en": "Points no longer frozen.",
        "de": "Punkte nicht mehr eingefroren.",
        "ms": "Mata tidak lagi dibekukan.",
    },
}
_REASON: dict[Language, str] = {"en": " Reason: {reason}.", "de": " Grund: {reason}.", "ms": " Sebab: {reason}."}


_BOUGHT: dict[bool, dict[Language, str]] = {
    True: {
        "en": "{amount} {points} bought.",
        "de": "{amount} {points} gekauft.",
        "ms": "{amount} {points} dibeli.",
    },
    False: {
        "en": "{amount} bought {points} given back.",
        "de": "{amount} gekaufte {points} zurückgegeben.",
        "ms": "{amount} {points} yang dibeli dikembalikan.",
    },
}


def hand_sentences(program: CompiledProgram, kind: str, outcome: Outcome, reason: str, locale: str) -> list[str]:
    """The sentences of an entry that somebody made: an adjustment, a freeze or its end, points that were bought."""
    language = language_of(locale)
    if kind == "freeze":
        return [_FROZEN[bool(outcome.frozen)][language] + _REASON[language].format(reason=reason)]
    if kind == "sale":
        return [_sale(program, effect, language) for effect in outcome.points]
    told = [
        adjustment_sentence(program, effect.points, effect.amount, reason, locale)
        + ("" if effect.review is None else REVIEWED[language])
        for effect in outcome.points
    ]
    told += coupon_sentences(program, outcome.coupons, language, of_return=True)
    told += move_sentences(program, outcome.moves, language, reason)
    # Levels that hung on what a review has voided.
    return told + tier_sentences(program, outcome, language) if outcome.tiers else told


def _sale(program: CompiledProgram, effect: PointsEffect, language: Language) -> str:
    """The sentence of points that a member bought, or (an amount below 0) gave back."""
    amount = abs(effect.amount)
    return _BOUGHT[effect.amount > 0][language].format(
        amount=number(in_units(amount, program.point_digits.get(effect.points, 0)), language),
        points=points_name(program, effect.points, amount, language),
    )
