"""The words of cases: two spellings of one word are one word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from cases.published import NotExpressible

T = TypeVar("T")

MODES = {
    **dict.fromkeys(("ceil", "ceiling", "up", "round up", "next whole"), "ceil"),
    **dict.fromkeys(("floor", "down", "round down", "drop fractions", "truncate", "none", "cut off"), "floor"),
    **dict.fromkeys(("nearest", "half up", "nearest whole", "round", "nearest integer", "standard"), "half_up"),
    **dict.fromkeys(("half even", "bankers", "nearest even"), "half_even"),
}
"""How sources call what is done with fractions."""


def plain(text: object) -> str:
    """A word without what spellings differ in: capitals, and how its parts are joined."""
    return " ".join(str(text).lower().replace("_", " ").replace("-", " ").split())


def meaning(words: Mapping[str, T], value: Any, about: str) -> T:
    """What a word of a case means.

    Raises:
        NotExpressible: for a word that is not among `words`; the text says what it is `about`.
    """
    for word, meant in words.items():
        if plain(word) == plain(value):
            return meant
    raise NotExpressible(f"{about}: {value}")
