"""Signatures as Standard Webhooks has them, by keys that follow from the installation's secret."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable

_PREFIX = "whsec_"


class PartnerKeys:
    """The keys of partners. Each partner of each program has its own: who knows one cannot speak to another with it."""

    def __init__(self, secret: bytes) -> None:
        self._root = hmac.digest(secret, b"setia partners sign", "sha256")

    def key(self, program_id: int, partner: str, number: int) -> bytes:
        """One key, 32 bytes; `number` is that of the definition, by which keys are changed."""
        return hmac.digest(self._root, f"{program_id} {number} {partner}".encode(), "sha256")

    def told(self, program_id: int, partner: str, number: int) -> str:
        """The key as partners are given it, and the libraries of Standard Webhooks read it."""
        return _PREFIX + base64.b64encode(self.key(program_id, partner, number)).decode()

    def signature(self, program_id: int, partner: str, number: int, signed: bytes) -> str:
        """The header `webhook-signature`: by this key, and by the one before it, so that a partner can change over."""
        numbers = range(number, max(number - 2, 0), -1)
        return " ".join(_signed((self.key(program_id, partner, one) for one in numbers), signed))


def content(message: str, timestamp: int, body: bytes) -> bytes:
    """What is signed."""
    return f"{message}.{timestamp}.".encode() + body


def _signed(keys: Iterable[bytes], signed: bytes) -> list[str]:
    return [f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}" for key in keys]
