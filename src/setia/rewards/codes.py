"""The codes of rewards: what all codes share is in `setia.codes`."""

from __future__ import annotations

from setia.codes.book import HINT_LENGTH, LONGEST, CodeBook, UnreadableCode, digest_of, hint_of, plain

__all__ = ["HINT_LENGTH", "LONGEST", "CodeBook", "UnreadableCode", "digest_of", "hint_of", "plain"]
