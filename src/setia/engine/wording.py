"""What sentences are made with: languages, dates, numbers as each language writes them, names of campaigns."""

from __future__ import annotations

from typing import Literal

from setia.engine.compiled import CompiledProgram

Language = Literal["en", "de", "ms"]
LANGUAGES: tuple[Language, ...] = ("en", "de", "ms")
DAYS: dict[Language, str] = {"en": "%Y-%m-%d", "de": "%d.%m.%Y", "ms": "%d/%m/%Y"}

_NO_THOUSANDS = 3


def language_of(locale: str) -> Language:
    """The language in which sentences for `locale` are written; English where there is none."""
    wanted = locale.split("-", maxsplit=1)[0].lower()
    return next((language for language in LANGUAGES if language == wanted), "en")


def campaign_name(program: CompiledProgram, campaign: str, locale: str) -> str:
    """The name of a campaign in a language; its id where it has none."""
    known = program.definition.campaigns.get(campaign)
    if known is None or known.name is None:
        return campaign
    return known.name.in_locale(locale, program.definition.program.locale)


def number(text: str, language: Language) -> str:
    """Decimals as the language writes them, with its thousands."""
    if len(text) <= _NO_THOUSANDS and text.isdigit():
        return text
    whole, _, part = text.partition(".")
    if not whole.isdigit():
        return text
    comma, point = (".", ",") if language == "de" else (",", ".")
    grouped = f"{int(whole):,}".replace(",", comma)
    return f"{grouped}{point}{part}" if part else grouped
