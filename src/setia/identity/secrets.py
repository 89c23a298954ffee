"""How API keys look: `setia_<live|test>_<10 characters>_<secret>`. The first part finds the row, the second proves it.

The secret has 24 characters of base62, 142 bits. Nobody guesses that, so a slow hash would protect nothing and
would cost every request; SHA-256 keeps a stolen backup from being used.
"""

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass

_ALPHABET = string.digits + string.ascii_letters
_PREFIX_LENGTH = 10
_SECRET_LENGTH = 24
_KEY = re.compile(r"setia_(live|test)_([0-9A-Za-z]{10})_([0-9A-Za-z]{24})")


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key, taken apart."""

    mode: str
    prefix: str
    secret: str

    @classmethod
    def new(cls, mode: str) -> "KeyText":
        """Make one from the system's source of randomness."""
        return cls(mode, _random(_PREFIX_LENGTH), _random(_SECRET_LENGTH))

    @classmethod
    def parse(cls, text: str) -> "KeyText | None":
        """Take a key apart; None when it is none."""
        found = _KEY.fullmatch(text)
        return cls(*found.groups()) if found else None

    def __str__(self) -> str:
        return f"setia_{self.mode}_{self.prefix}_{self.secret}"

    def __repr__(self) -> str:
        # A key that is logged by accident must not be a key.
        return f"KeyText(setia_{self.mode}_{self.prefix}_...)"

    @property
    def hash(self) -> bytes:
        """What is stored of the secret."""
        return hashlib.sha256(self.secret.encode()).digest()

    def matches(self, stored: bytes) -> bool:
        """Whether the secret is the one whose hash is stored, in the same time either way."""
        return hmac.compare_digest(self.hash, stored)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
