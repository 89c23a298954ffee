"""One sentence for each promotion that applied, and for each code that did nothing."""

from __future__ import annotations

from setia.engine.compiled import CompiledProgram
from setia.engine.decision import Outcome
from setia.engine.facts import decimal_of
from setia.engine.wording import Language, campaign_name, number

_OFF: dict[Language, str] = {
    "en": "{amount} {currency} off: “{campaign}”.",
    "de": "{amount} {currency} Nachlass: „{campaign}“.",
    "ms": "Potongan {amount} {currency}: “{campaign}”.",
}
_ADDED: dict[Language, str] = {
    "en": "{units} for free: “{campaign}”.",
    "de": "{units} gratis: „{campaign}“.",
    "ms": "{units} percuma: “{campaign}”.",
}
_UNKNOWN: dict[Language, str] = {
    "en": "The code “{code}” is not known.",
    "de": "Der Code „{code}“ ist nicht bekannt.",
    "ms": "Kod “{code}” tidak dikenali.",
}
_REFUSED: dict[Language, str] = {
    "en": "The code “{code}” has no effect: {why}.",
    "de": "Der Code „{code}“ hat keine Wirkung: {why}.",
    "ms": "Kod “{code}” tiada kesan: {why}.",
}
_WHY: dict[str, dict[Language, str]] = {
    "another_code": {
        "en": "another code was used for the same promotion",
        "de": "ein anderer Code gilt schon für dieselbe Aktion",
        "ms": "kod lain telah digunakan untuk promosi yang sama",
    },
    "schedule": {"en": "it is not valid now", "de": "er gilt gerade nicht", "ms": "ia tidak sah sekarang"},
    "condition": {
        "en": "the order does not fulfil its condition",
        "de": "die Bestellung erfüllt die Bedingung nicht",
        "ms": "pesanan tidak memenuhi syaratnya",
    },
    "lines": {
        "en": "nothing on the order is part of it",
        "de": "nichts in der Bestellung gehört dazu",
        "ms": "tiada barangan dalam pesanan yang layak",
    },
    "limit": {"en": "it is used up", "de": "er ist aufgebraucht", "ms": "ia telah habis digunakan"},
    "group": {
        "en": "another promotion comes first",
        "de": "eine andere Aktion geht vor",
        "ms": "promosi lain diutamakan",
    },
    "error": {"en": "it cannot be checked", "de": "er lässt sich nicht prüfen", "ms": "ia tidak dapat disemak"},
    "nothing": {
        "en": "there is nothing to take off",
        "de": "es gibt nichts abzuziehen",
        "ms": "tiada apa-apa untuk dipotong",
    },
}
_WHY["exclusive"] = _WHY["group"]
_WHY |= {
    "not_yours": {"en": "it is somebody else's", "de": "er gehört jemand anderem", "ms": "ia milik orang lain"},
    "void": {"en": "it was withdrawn", "de": "er wurde zurückgezogen", "ms": "ia telah ditarik balik"},
    "used_up": {"en": "it has been used", "de": "er ist schon eingelöst", "ms": "ia telah digunakan"},
    "member_limit": {
        "en": "you have used it as often as you can",
        "de": "du hast ihn so oft eingelöst, wie es geht",
        "ms": "anda telah menggunakannya sebanyak yang dibenarkan",
    },
    "not_yet": {"en": "it is not valid yet", "de": "er gilt noch nicht", "ms": "ia belum sah"},
    "expired": {"en": "it is not valid any more", "de": "er gilt nicht mehr", "ms": "ia tidak lagi sah"},
}


def discount_sentences(program: CompiledProgram, outcome: Outcome, language: Language) -> list[str]:
    """What promotions took off, in the order in which they did, and then the codes without effect."""
    told = []
    for effect in outcome.discounts:
        campaign = campaign_name(program, effect.campaign, language)
        if effect.amount:
            amount = number(format(decimal_of(effect.amount, program.currency_digits), "f"), language)
            currency = program.definition.program.currency
            told.append(_OFF[language].format(amount=amount, currency=currency, campaign=campaign))
        if effect.added_units:
            units = number(str(effect.added_units), language)
            told.append(_ADDED[language].format(units=units, campaign=campaign))
    for refused in outcome.refused:
        why = _WHY.get(refused.reason)
        words = _UNKNOWN if why is None else _REFUSED
        told.append(words[language].format(code=refused.code, why="" if why is None else why[language]))
    return told
