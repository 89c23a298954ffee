"""One sentence per effect, for members, in English, German and Malay."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

from setia.engine.compiled import CompiledProgram
from setia.engine.coupon_sentences import coupon_sentences
from setia.engine.decision import REDEMPTION, REFUND_GRACE, Arithmetic, Explanation, Outcome, PointsEffect
from setia.engine.discount_sentences import discount_sentences
from setia.engine.exact import in_units
from setia.engine.lot_sentences import REVIEWED, WAITING, event_name, move_sentences, points_name
from setia.engine.moving_sentences import moving_sentences
from setia.engine.offer_sentences import offer_sentences
from setia.engine.return_sentences import return_sentence
from setia.engine.reward_sentences import cart_sentences, rewards_back_sentence
from setia.engine.tier_sentences import tier_sentences
from setia.engine.wording import DAYS, Language, campaign_name, language_of, number

_WORDS: dict[str, dict[Language, str]] = {
    "fixed": {
        "en": "{amount} {points} for “{campaign}”.",
        "de": "{amount} {points} für „{campaign}“.",
        "ms": "{amount} {points} untuk “{campaign}”.",
    },
    "amount": {
        "en": "{amount} {points} for “{campaign}”: {rate} on {basis} {currency}.",
        "de": "{amount} {points} für „{campaign}“: {rate} auf {basis} {currency}.",
        "ms": "{amount} {points} untuk “{campaign}”: {rate} atas {basis} {currency}.",
    },
    "counted": {
        "en": "{amount} {points} for “{campaign}”: {rate}, {basis} counted.",
        "de": "{amount} {points} für „{campaign}“: {rate}, {basis} gezählt.",
        "ms": "{amount} {points} untuk “{campaign}”: {rate}, {basis} dikira.",
    },
    "multiplied": {
        "en": "{amount} more {points} thanks to “{campaign}”: {rate} on “{of}”.",
        "de": "{amount} {points} mehr dank „{campaign}“: {rate} auf „{of}“.",
        "ms": "{amount} lagi {points} dengan “{campaign}”: {rate} atas “{of}”.",
    },
    "deducted": {
        "en": "{amount} {points} taken for “{campaign}”.",
        "de": "{amount} {points} abgezogen für „{campaign}“.",
        "ms": "{amount} {points} ditolak untuk “{campaign}”.",
    },
    "adjusted_up": {
        "en": "{amount} {points} added by hand: {campaign}.",
        "de": "{amount} {points} von Hand gutgeschrieben: {campaign}.",
        "ms": "{amount} {points} ditambah secara manual: {campaign}.",
    },
    "adjusted_down": {
        "en": "{amount} {points} taken by hand: {campaign}.",
        "de": "{amount} {points} von Hand abgezogen: {campaign}.",
        "ms": "{amount} {points} ditolak secara manual: {campaign}.",
    },
    "cut": {
        "en": " A limit allowed {amount} of {wanted}.",
        "de": " Ein Limit ließ {amount} von {wanted} zu.",
        "ms": " Had membenarkan {amount} daripada {wanted}.",
    },
    "short": {
        "en": " Only {amount} of {wanted} were there.",
        "de": " Von {wanted} waren nur {amount} da.",
        "ms": " Hanya {amount} daripada {wanted} yang ada.",
    },
    "pending": {
        "en": " They can be used from {date}.",
        "de": " Einlösbar ab {date}.",
        "ms": " Boleh digunakan mulai {date}.",
    },
    "expiry": {
        "en": "{amount} {points} have expired.",
        "de": "{amount} {points} verfallen.",
        "ms": "{amount} {points} telah luput.",
    },
    "release": {
        "en": "{amount} {points} can be used now.",
        "de": "{amount} {points} ab jetzt einlösbar.",
        "ms": "{amount} {points} kini boleh digunakan.",
    },
    "attribute": {
        "en": "{name} is now {value}.",
        "de": "{name} ist jetzt {value}.",
        "ms": "{name} kini {value}.",
    },
    "tag": {
        "en": "You now belong to “{name}”.",
        "de": "Du gehörst jetzt zu „{name}“.",
        "ms": "Anda kini tergolong dalam “{name}”.",
    },
    "untag": {
        "en": "You no longer belong to “{name}”.",
        "de": "Du gehörst nicht mehr zu „{name}“.",
        "ms": "Anda tidak lagi tergolong dalam “{name}”.",
    },
    "custom": {
        "en": "“{campaign}”: {name}.",
        "de": "„{campaign}“: {name}.",
        "ms": "“{campaign}”: {name}.",
    },
}
_RATE = re.compile(r"[\d.]+ per (?:whole )?(?:unit|line|[\d.]+)")
"""A rate in its short form. Anything else is an expression, in which ` per ` may stand as well."""
_PER: dict[Language, str] = {"en": "per", "de": "je", "ms": "setiap"}
_PARTS: dict[str, dict[Language, str]] = {
    "whole": {"en": "full", "de": "volle", "ms": "penuh"},
    "unit": {"en": "unit", "de": "Stück", "ms": "unit"},
    "line": {"en": "line", "de": "Position", "ms": "baris"},
}


_YES_NO: dict[bool, dict[Language, str]] = {
    True: {"en": "yes", "de": "ja", "ms": "ya"},
    False: {"en": "no", "de": "nein", "ms": "tidak"},
}


def sentences(program: CompiledProgram, outcome: Outcome, explanation: Explanation, locale: str) -> list[str]:
    """A sentence for each effect, in the order of the outcome."""
    language = language_of(locale)
    undoes = outcome.undoes
    if outcome.moved is not None:
        told = moving_sentences(program, outcome.moved, outcome.points, language)
    elif undoes is None:
        told = _all_points(program, outcome, explanation, language)
    else:
        cancelled = undoes.cancels is not None
        told = [
            rewards_back_sentence(program, effect.points, effect.amount, language)
            if effect.campaign == REDEMPTION
            else return_sentence(program, effect, language, cancelled=cancelled)
            for effect in outcome.points
            if effect.campaign != REFUND_GRACE
        ]
    if outcome.moves:
        told += move_sentences(program, outcome.moves, language)
    if outcome.tiers or outcome.renewed or outcome.graced:
        told += tier_sentences(program, outcome, language)
    if outcome.attributes or outcome.tags_added or outcome.tags_removed or outcome.custom:
        told += _changes(program, outcome, language)
    if outcome.discounts or outcome.refused:
        told += discount_sentences(program, outcome, language)
    if outcome.coupons:
        told += coupon_sentences(program, outcome.coupons, language, of_return=undoes is not None)
    if outcome.redeemed:
        told += cart_sentences(program, outcome.redeemed, language)
    if outcome.offers:
        told += offer_sentences(program, outcome.offers, language)
    return told


def _all_points(program: CompiledProgram, outcome: Outcome, explanation: Explanation, language: Language) -> list[str]:
    steps: dict[tuple[str, str], list[Arithmetic]] = {}
    for considered in explanation.considered:
        for step in considered.arithmetic:
            # What came to nothing or only lowered others has no effect, and would take another's place.
            if step.wanted > 0:
                steps.setdefault((considered.campaign, step.points), []).append(step)
    told = []
    for effect in outcome.points:
        if effect.campaign == REDEMPTION:
            continue  # each reward has a sentence of its own
        own = steps.get((effect.campaign, effect.points))
        told.append(_points(program, effect, own.pop(0) if own else None, language))
    return told


def _changes(program: CompiledProgram, outcome: Outcome, language: Language) -> list[str]:
    """What else an event did to the member, or asked others to do."""
    told = [
        _WORDS["attribute"][language].format(name=_attribute(program, name, language), value=_value(value, language))
        for name, value in outcome.attributes.items()
    ]
    told += [_WORDS["tag"][language].format(name=_plain(tag)) for tag in outcome.tags_added]
    told += [_WORDS["untag"][language].format(name=_plain(tag)) for tag in outcome.tags_removed]
    told += [
        _WORDS["custom"][language].format(campaign=campaign_name(program, campaign, language), name=_plain(name))
        for campaign, name, _ in outcome.custom
    ]
    return told


def _attribute(program: CompiledProgram, name: str, language: Language) -> str:
    known = program.definition.members.attributes.get(name)
    if known is None or known.name is None:
        return _plain(name)
    return known.name.in_locale(language, program.definition.program.locale)


def _plain(identifier: str) -> str:
    """An identifier as a word: `early_bird` is `early bird`."""
    return identifier.replace("_", " ")


def _value(value: object, language: Language) -> str:
    if isinstance(value, bool):
        return _YES_NO[value][language]
    if isinstance(value, int | Decimal):
        return number(format(value, "f") if isinstance(value, Decimal) else str(value), language)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def adjustment_sentence(program: CompiledProgram, points: str, amount: int, reason: str, locale: str) -> str:
    """The sentence of an adjustment by hand; `reason` is what its author wrote."""
    language = language_of(locale)
    words = _WORDS["adjusted_up" if amount > 0 else "adjusted_down"][language]
    return words.format(
        amount=_amount(program, points, abs(amount), language),
        points=points_name(program, points, amount, language),
        campaign=reason,
    )


def time_sentence(program: CompiledProgram, kind: str, points: str, amount: int, locale: str) -> str:
    """The sentence of points that have expired (`expiry`) or become available (`release`)."""
    language = language_of(locale)
    name = points_name(program, points, amount, language)
    return _WORDS[kind][language].format(amount=_amount(program, points, amount, language), points=name)


def _points(program: CompiledProgram, effect: PointsEffect, step: Arithmetic | None, language: Language) -> str:
    deducted = effect.amount < 0 or (effect.wanted is not None and effect.wanted < 0)
    amount = abs(effect.amount)
    rate, of = (step.rate, step.of) if step is not None else (None, None)
    # All but two numbers is the same for every event that a campaign gives points for: it is written once.
    key = (language, effect.points, effect.campaign, amount == program.units.get(effect.points), deducted, rate, of)
    phrase = program.phrases.get(key)
    if phrase is None:
        if len(program.phrases) >= _MOST_PHRASES:
            program.phrases.clear()
        phrase = program.phrases[key] = _phrase(program, effect, step, language, deducted=deducted)
    sentence = phrase.replace(_AMOUNT, _amount(program, effect.points, amount, language))
    if step is not None and _BASIS in sentence:
        sentence = sentence.replace(_BASIS, number(step.basis, language))
    if effect.wanted is not None:
        sentence += _WORDS["short" if deducted else "cut"][language].format(
            amount=_amount(program, effect.points, amount, language),
            wanted=_amount(program, effect.points, abs(effect.wanted), language),
        )
    if effect.review is not None:
        return sentence + REVIEWED[language]
    if effect.available_at is not None:
        day = effect.available_at.astimezone(program.zone).strftime(DAYS[language])
        sentence += _WORDS["pending"][language].format(date=day)
    if effect.waits_for is not None:
        sentence += WAITING[language].format(event=event_name(program, effect.waits_for, language))
    return sentence


_MOST_PHRASES = 10_000
# Where the numbers go; no text holds U+0000.
_AMOUNT, _BASIS = "\0amount", "\0basis"


def _phrase(
    program: CompiledProgram, effect: PointsEffect, step: Arithmetic | None, language: Language, *, deducted: bool
) -> str:
    """The sentence of an effect without its numbers."""
    kind = "fixed"
    if deducted:
        kind = "deducted"
    elif step is not None and step.of is not None:
        kind = "multiplied"
    elif step is not None and _RATE.fullmatch(step.rate):
        kind = "counted" if step.rate.endswith(("unit", "line")) else "amount"
    return _WORDS[kind][language].format(
        amount=_AMOUNT,
        points=points_name(program, effect.points, effect.amount, language),
        campaign=campaign_name(program, effect.campaign, language),
        rate=_rate(step.rate, language) if step is not None else "",
        basis=_BASIS,
        currency=program.definition.program.currency,
        of=campaign_name(program, step.of, language) if step is not None and step.of is not None else "",
    )


def _amount(program: CompiledProgram, points: str, amount: int, language: Language) -> str:
    return number(in_units(amount, program.point_digits.get(points, 0)), language)


@lru_cache(maxsize=1024)
def _rate(rate: str, language: Language) -> str:
    """A rate with its words in the language: `1 per whole 5.00` is `1 je volle 5,00`."""
    if rate.startswith("x "):
        return f"×{number(rate[2:], language)}"  # noqa: RUF001 - the sign people know
    if not _RATE.fullmatch(rate):
        return rate
    return " ".join(
        _PER[language] if word == "per" else _PARTS[word][language] if word in _PARTS else number(word, language)
        for word in rate.split(" ")
    )
