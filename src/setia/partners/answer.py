"""What a partner's answer means: delivered, refused, or nothing that can be understood."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from setia.partners.egress import Received

LONGEST_CODE = 200
LONGEST_REASON = 300


class Delivered(msgspec.Struct, frozen=True):
    """It is done; with a code or a text for the member where the partner gave one."""

    code: str | None = None


class Refused(msgspec.Struct, frozen=True):
    """The partner will not deliver it, and says why."""

    why: str


class Failed(msgspec.Struct, frozen=True):
    """Nothing is known: it is tried again."""

    why: str


Answer: TypeAlias = Delivered | Refused | Failed


class _Told(msgspec.Struct):
    code: str | None = None
    refused: str | None = None


_decode = msgspec.json.Decoder(_Told).decode


def read_answer(received: Received) -> Answer:
    """Read it.

    2xx with nothing or a JSON object delivers; an object with `refused` refuses, whatever the status below 300 or of
    4xx. An error without it is no refusal: a wrong address or a server under repair says 404 too.
    """
    status, body = received
    fine, clients_fault = 200 <= status < 300, 400 <= status < 500
    if fine and not body.strip():
        return Delivered()
    if not fine and not clients_fault:
        return Failed(f"it answered {status}")
    try:
        told = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Failed("its answer is no JSON object with texts" if fine else f"it answered {status}")
    if told.refused is not None:
        return Refused(_printable(told.refused)[:LONGEST_REASON].strip() or "no reason given")
    return _delivered(told.code) if fine else Failed(f"it answered {status}")


def _delivered(code: str | None) -> Answer:
    if code is None:
        return Delivered()
    code = code.strip()
    if not 0 < len(code) <= LONGEST_CODE or not code.isprintable():
        return Failed(f"its code is not 1 to {LONGEST_CODE} letters and signs")
    return Delivered(code)


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)
