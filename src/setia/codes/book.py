"""What codes look like, and how they are kept: made from the installation's secret, stored as keyed hash.

A generated code has 100 bits and is nowhere: it follows from the secret and its redemption's id, so that an answer
that was lost can be given again. An imported one has to be handed out later, so it is kept sealed.
"""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: without I, L, O and U, which people misread or would rather not be given."""
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
_LENGTH, _GROUP, _BITS = 20, 5, 5
_BLOCK = 32
HINT_LENGTH = 4
LONGEST = 100


class UnreadableCode(Exception):  # noqa: N818 - says what happened
    """A sealed code does not open: it was changed, or sealed under another secret."""


class CodeBook:
    """Makes codes, and knows them again, with keys that come from the installation's secret."""

    def __init__(self, secret: bytes) -> None:
        self._making, self._knowing, self._sealing, self._proving = (
            hmac.digest(secret, f"setia rewards {purpose}".encode(), "sha256")
            for purpose in ("make", "know", "seal", "prove")
        )

    def code_of(self, redemption: UUID) -> str:
        """The code of a redemption: 20 characters in four groups."""
        number = int.from_bytes(hmac.digest(self._making, redemption.bytes, "sha256"))
        text = "".join(_ALPHABET[(number >> _BITS * place) & (len(_ALPHABET) - 1)] for place in range(_LENGTH))
        return "-".join(text[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))

    def hash_of(self, program_id: int, text: str) -> bytes:
        """What is stored of a code, and what it is found by. Capitals, dashes and blanks do not matter."""
        return hmac.digest(self._knowing, f"{program_id} {plain(text)}".encode(), "sha256")

    def seal(self, code: UUID, text: str) -> bytes:
        """Make a code unreadable without the secret; `code` is its id, under which nothing else is ever sealed."""
        sealed = self._masked(code, text.encode())
        return sealed + self._proof(code, sealed)

    def unseal(self, code: UUID, sealed: bytes) -> str:
        """The code again; raises `UnreadableCode`."""
        body, proof = sealed[:-_BLOCK], sealed[-_BLOCK:]
        if not hmac.compare_digest(proof, self._proof(code, body)):
            raise UnreadableCode(f"the code {code} was sealed with another secret, or changed")
        return self._masked(code, body).decode()

    def _masked(self, code: UUID, text: bytes) -> bytes:
        # A stream from HMAC in counter mode: each id is used for one text, so the stream is never used twice.
        blocks = range(-(-len(text) // _BLOCK))
        stream = b"".join(hmac.digest(self._sealing, code.bytes + bytes([block]), "sha256") for block in blocks)
        return bytes(one ^ other for one, other in zip(text, stream, strict=False))

    def _proof(self, code: UUID, sealed: bytes) -> bytes:
        return hmac.digest(self._proving, code.bytes + sealed, "sha256")


def plain(text: str) -> str:
    """A code as it is compared: what people mistype means the same."""
    return text.upper().translate(_READ_AS)


def hint_of(text: str) -> str:
    """Its end, by which staff tell codes apart; of a short one less, so that guessing stays hard."""
    return text[len(text) - min(HINT_LENGTH, len(text) // 4) :]


def digest_of(*parts: object) -> bytes:
    """What a request said, to know it again."""
    return hashlib.sha256(repr(parts).encode()).digest()
