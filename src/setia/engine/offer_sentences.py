"""Sentences about offers, for members: what one has come to, and what it still takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_offers import CompiledOffer
from setia.engine.decision import OfferChange
from setia.engine.exact import in_units
from setia.engine.wording import DAYS, Language, campaign_name, number

_WORDS: dict[str, dict[Language, str]] = {
    "assigned": {
        "en": "“{offer}” is yours.",
        "de": "„{offer}“ gehört dir.",
        "ms": "“{offer}” milik anda.",
    },
    "assigned_until": {
        "en": "“{offer}” is yours until {date}.",
        "de": "„{offer}“ gehört dir bis {date}.",
        "ms": "“{offer}” milik anda hingga {date}.",
    },
    "activated": {
        "en": "“{offer}” is activated.",
        "de": "„{offer}“ ist aktiviert.",
        "ms": "“{offer}” telah diaktifkan.",
    },
    "completed": {
        "en": "“{offer}” is completed.",
        "de": "„{offer}“ ist geschafft.",
        "ms": "“{offer}” telah selesai.",
    },
    "completed_times": {
        "en": "“{offer}” is completed {times} times.",
        "de": "„{offer}“ ist {times} Mal geschafft.",
        "ms": "“{offer}” telah selesai {times} kali.",
    },
    "counted": {
        "en": "“{offer}”: {progress}.",
        "de": "„{offer}“: {progress}.",
        "ms": "“{offer}”: {progress}.",
    },
}
_PROGRESS: dict[Language, str] = {
    "en": "{there} of {target}",
    "de": "{there} von {target}",
    "ms": "{there} daripada {target}",
}


def offer_sentences(program: CompiledProgram, changes: list[OfferChange], language: Language) -> Iterator[str]:
    """A sentence for each change of an offer, two where it was completed and begins again with something."""
    for change in changes:
        name = campaign_name(program, change.state.campaign, language)
        offer = program.offers.get(change.state.campaign)
        if change.completed > 0:
            kind = "completed" if change.completed == 1 else "completed_times"
            yield _WORDS[kind][language].format(offer=name, times=change.completed)
        there = len(change.state.items) or max(0, change.state.progress)
        if change.kind == "counted":
            if there or change.completed <= 0:
                progress = progress_text(program, offer, there, change.target, language)
                yield _WORDS["counted"][language].format(offer=name, progress=progress)
        elif change.kind == "assigned" and change.state.ends is not None:
            yield _WORDS["assigned_until"][language].format(
                offer=name, date=_last_day(program, change.state.ends, language)
            )
        else:
            yield _WORDS[change.kind][language].format(offer=name)


def _last_day(program: CompiledProgram, ends: dt.datetime, language: Language) -> str:
    """The local day on which it can be used last: an end at midnight is that of the day before."""
    last = (ends - dt.timedelta(microseconds=1)).astimezone(program.zone)
    return last.strftime(DAYS[language])


def progress_text(
    program: CompiledProgram, offer: CompiledOffer | None, there: int, target: int, language: Language
) -> str:
    """A progress against its target, as `12.50 of 50.00 EUR` or `3 of 10`. Amounts are in the smallest unit."""
    digits = 0 if offer is None else offer.digits
    shown = [in_units(amount, digits) for amount in (there, target)]
    if offer is not None and offer.kind == "units":
        # Quantities are mostly whole; their six decimals would hide it.
        shown = [text.rstrip("0").rstrip(".") for text in shown]
    text = _PROGRESS[language].format(there=number(shown[0], language), target=number(shown[1], language))
    if offer is not None and offer.kind == "spend":
        text += f" {program.definition.program.currency}"
    return text
