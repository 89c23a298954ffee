"""Sentences about rewards, for members: held, redeemed, with an order or without, and given back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from setia.engine.compiled import CompiledProgram
from setia.engine.decision import RewardEffect
from setia.engine.exact import in_units
from setia.engine.facts import decimal_of
from setia.engine.lot_sentences import points_name
from setia.engine.wording import Language, number

Movement: TypeAlias = Literal["held", "redeemed", "freed", "refunded", "undelivered"]
PARTNER = "partner"
"""The actor of an entry that gives points back for what a partner did not deliver."""
_MOVEMENTS: Mapping[tuple[str, str], Movement] = {
    ("available", "held"): "held",
    ("available", "redeemed"): "redeemed",
    ("held", "redeemed"): "redeemed",
    ("held", "available"): "freed",
    ("redeemed", "available"): "refunded",
}
_WORDS: dict[str, dict[Language, str]] = {
    "held": {
        "en": "{cost} held for “{reward}”.",
        "de": "{cost} für „{reward}“ vorgemerkt.",
        "ms": "{cost} ditahan untuk “{reward}”.",
    },
    "redeemed": {
        "en": "{cost} redeemed for “{reward}”.",
        "de": "{cost} für „{reward}“ eingelöst.",
        "ms": "{cost} ditebus untuk “{reward}”.",
    },
    "freed": {
        "en": "{cost} no longer held for “{reward}”.",
        "de": "{cost} nicht mehr für „{reward}“ vorgemerkt.",
        "ms": "{cost} tidak lagi ditahan untuk “{reward}”.",
    },
    "refunded": {
        "en": "{cost} given back for “{reward}”.",
        "de": "{cost} für „{reward}“ zurückgegeben.",
        "ms": "{cost} dikembalikan untuk “{reward}”.",
    },
    "undelivered": {
        "en": "{cost} given back for “{reward}”: the partner did not deliver it.",
        "de": "{cost} für „{reward}“ zurückgegeben: Der Partner hat nicht geliefert.",
        "ms": "{cost} dikembalikan untuk “{reward}”: rakan niaga tidak menghantarnya.",
    },
    "rewards_back": {
        "en": "{cost} given back for the rewards of this order.",
        "de": "{cost} für die Prämien dieser Bestellung zurückgegeben.",
        "ms": "{cost} dikembalikan untuk ganjaran pesanan ini.",
    },
    "rewards_again": {
        "en": "{cost} spent on the rewards of this order again: the return was cancelled.",
        "de": "{cost} wieder für die Prämien dieser Bestellung eingelöst: Die Rückgabe wurde storniert.",
        "ms": "{cost} dibelanjakan semula untuk ganjaran pesanan ini: pemulangan dibatalkan.",
    },
    "free": {"en": "“{reward}” redeemed.", "de": "„{reward}“ eingelöst.", "ms": "“{reward}” ditebus."},
    "off": {
        "en": " {amount} {currency} off.",
        "de": " {amount} {currency} Nachlass.",
        "ms": " Potongan {amount} {currency}.",
    },
    "added": {
        "en": " {units} more of {sku} for it.",
        "de": " Dafür {units} mal {sku} dazu.",
        "ms": " Tambahan {units} {sku} untuknya.",
    },
}
_AND: dict[Language, str] = {"en": " and ", "de": " und ", "ms": " dan "}


def reward_name(program: CompiledProgram, reward: str, language: Language) -> str:
    """The name of a reward in a language; its id where it has none, or is no more."""
    known = program.definition.rewards.get(reward)
    if known is None or known.name is None:
        return reward
    return known.name.in_locale(language, program.definition.program.locale)


def cart_sentences(program: CompiledProgram, redeemed: Iterable[RewardEffect], language: Language) -> list[str]:
    """A sentence for each reward that was redeemed with an order."""
    told = []
    for effect in redeemed:
        words = "redeemed" if effect.points else "free"
        sentence = _told(program, words, effect.reward, effect.points, language)
        if effect.amount:
            amount = number(format(decimal_of(effect.amount, program.currency_digits), "f"), language)
            currency = program.definition.program.currency
            sentence += _WORDS["off"][language].format(amount=amount, currency=currency)
        if effect.added_units:
            units = number(str(effect.added_units), language)
            sentence += _WORDS["added"][language].format(units=units, sku=effect.sku)
        told.append(sentence)
    return told


def rewards_back_sentence(program: CompiledProgram, points: str, amount: int, language: Language) -> str:
    """The sentence of points that come back for the rewards of an order that was returned."""
    words = "rewards_back" if amount > 0 else "rewards_again"
    return _told(program, words, "", {points: abs(amount)}, language)


def movement_sentences(
    program: CompiledProgram,
    reward: str,
    lines: Iterable[tuple[str, str, str, int]],
    language: Language,
    *,
    undelivered: bool = False,
) -> list[str]:
    """What an entry about one redemption did, of its lines: (points, source, destination, amount).

    `undelivered`: points come back because the partner did not deliver.
    """
    sums: dict[Movement, dict[str, int]] = {}
    for points, source, destination, amount in lines:
        movement = _MOVEMENTS.get((source, destination))
        if undelivered and movement == "refunded":
            movement = "undelivered"
        if movement is not None:
            costs = sums.setdefault(movement, {})
            costs[points] = costs.get(points, 0) + amount
    return [_told(program, movement, reward, costs, language) for movement, costs in sums.items()]


def _told(program: CompiledProgram, words: str, reward: str, cost: Mapping[str, int], language: Language) -> str:
    parts = [
        f"{number(in_units(amount, program.point_digits.get(points, 0)), language)} "
        f"{points_name(program, points, amount, language)}"
        for points, amount in cost.items()
    ]
    name = reward_name(program, reward, language)
    return _WORDS[words][language].format(cost=_AND[language].join(parts), reward=name)
