"""Sentences about levels: reached, kept, in grace, lost, given by a campaign."""

from __future__ import annotations

from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_tiers import CompiledTierSet
from setia.engine.decision import Outcome, TierChange
from setia.engine.wording import Language, campaign_name

_WORDS: dict[str, dict[Language, str]] = {
    "reached": {
        "en": "You have reached {level}.",
        "de": "Du hast {level} erreicht.",
        "ms": "Anda telah mencapai {level}.",
    },
    "again": {
        "en": "You are {level} again.",
        "de": "Du bist wieder {level}.",
        "ms": "Anda kembali ke {level}.",
    },
    "given": {
        "en": "You are now {level}: “{campaign}”.",
        "de": "Du bist jetzt {level}: „{campaign}“.",
        "ms": "Anda kini {level}: “{campaign}”.",
    },
    "kept": {
        "en": "You keep the level {level}.",
        "de": "Du behältst die Stufe {level}.",
        "ms": "Anda mengekalkan tahap {level}.",
    },
    "grace": {
        "en": "The level {level} stays until {day} all the same.",
        "de": "Die Stufe {level} bleibt dir noch bis {day}.",
        "ms": "Tahap {level} masih kekal sehingga {day}.",
    },
}


def tier_sentences(program: CompiledProgram, outcome: Outcome, language: Language) -> list[str]:
    """One sentence for each level that changed, was kept at a review, or stays for a while though it was not."""
    told = [_changed(program, change, language) for change in outcome.tiers]
    for name in outcome.renewed:
        told += [_WORDS["kept"][language].format(level=level_name(program, name, outcome.levels[name], language))]
    for name, until in outcome.graced.items():
        day = until.astimezone(program.zone).date().isoformat()
        level = level_name(program, name, outcome.levels[name], language)
        told += [_WORDS["grace"][language].format(level=level, day=day)]
    return told


def _changed(program: CompiledProgram, change: TierChange, language: Language) -> str:
    level = level_name(program, change.tier_set, change.after, language)
    if change.campaign is not None:
        campaign = campaign_name(program, change.campaign, language)
        return _WORDS["given"][language].format(level=level, campaign=campaign)
    tier_set = _tier_set(program, change.tier_set)
    falls = tier_set is not None and tier_set.index(change.after) < tier_set.index(change.before)
    return _WORDS["again" if falls else "reached"][language].format(level=level)


def _tier_set(program: CompiledProgram, name: str) -> CompiledTierSet | None:
    return next((tier_set for tier_set in program.tier_sets if tier_set.id == name), None)


def level_name(program: CompiledProgram, tier_set: str, level: str, locale: str) -> str:
    """What a level is called; its id where it has no name, or is no longer defined."""
    found = _tier_set(program, tier_set)
    for one in found.definition.levels if found is not None else ():
        if one.id == level and one.name is not None:
            return one.name.in_locale(locale, program.definition.program.locale)
    return level
