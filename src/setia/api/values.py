"""Kinds of text that come in from outside."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints


def plain(text: str) -> str:
    """Refuse what no name or sentence holds: NUL, which PostgreSQL cannot store, and other control characters."""
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\t":
            raise ValueError("must not hold control characters")
    return text


PlainText = Annotated[str, AfterValidator(plain)]
"""Any text without control characters."""

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), AfterValidator(plain)]
"""Why somebody did something, in their words."""
