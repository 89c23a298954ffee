"""Sentences about returns, for members: what was taken back, and what came again."""

from __future__ import annotations

from setia.engine.compiled import CompiledProgram
from setia.engine.decision import PointsEffect
from setia.engine.exact import in_units
from setia.engine.lot_sentences import points_name
from setia.engine.wording import Language, campaign_name, number

_WORDS: dict[str, dict[Language, str]] = {
    "taken": {
        "en": "{amount} {points} of “{campaign}” taken back.",
        "de": "{amount} {points} von „{campaign}“ zurückgenommen.",
        "ms": "{amount} {points} daripada “{campaign}” ditarik balik.",
    },
    "given": {
        "en": "{amount} {points} for “{campaign}” after the return.",
        "de": "{amount} {points} für „{campaign}“ nach der Rückgabe.",
        "ms": "{amount} {points} untuk “{campaign}” selepas pemulangan.",
    },
    "again": {
        "en": "{amount} {points} for “{campaign}” again: the return was cancelled.",
        "de": "{amount} {points} für „{campaign}“ wieder da: Die Rückgabe wurde storniert.",
        "ms": "{amount} {points} untuk “{campaign}” semula: pemulangan dibatalkan.",
    },
    "short": {
        "en": " Only {amount} of {wanted} were there.",
        "de": " Von {wanted} waren nur {amount} da.",
        "ms": " Hanya {amount} daripada {wanted} yang ada.",
    },
    "less": {
        "en": " That is what the return had taken of {wanted}.",
        "de": " So viel von {wanted} hatte die Rückgabe genommen.",
        "ms": " Itulah yang diambil oleh pemulangan daripada {wanted}.",
    },
}


def return_sentence(program: CompiledProgram, effect: PointsEffect, language: Language, *, cancelled: bool) -> str:
    """The sentence of points that a return takes or gives; `cancelled` of those that a cancelled one does."""
    taken = effect.amount < 0 or (effect.wanted or 0) < 0
    kind = "taken" if taken else "again" if cancelled else "given"

    def amount(value: int) -> str:
        return number(in_units(abs(value), program.point_digits.get(effect.points, 0)), language)

    sentence = _WORDS[kind][language].format(
        amount=amount(effect.amount),
        points=points_name(program, effect.points, abs(effect.amount), language),
        campaign=campaign_name(program, effect.campaign, language),
    )
    if effect.wanted is not None:
        told = _WORDS["short" if taken else "less"][language]
        sentence += told.format(amount=amount(effect.amount), wanted=amount(effect.wanted))
    return sentence
