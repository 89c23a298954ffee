"""What a partner's answer means: delivered, refused, or nothing that can be understood."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime
from typing import TypeAlias

import msgspec

from setia.partners.egress import Received

LONGEST_CODE = 200
LONGEST_REASON = 300
GONE = 410
LONGEST_WAIT = dt.timedelta(hours=4)
"""A partner that wants to be left alone for longer is asked then all the same: a member waits for an answer."""


class Delivered(msgspec.Struct, frozen=True):
    """It is done; with a code or a text for the member where the partner gave one."""

    code: str | None = None


class Refused(msgspec.Struct, frozen=True):
    """The partner will not deliver it, and says why."""

    why: str


class Failed(msgspec.Struct, frozen=True):
    """Nothing is known: it is tried again, and not before `not_before` where the partner has said so."""

    why: str
    not_before: dt.datetime | None = None


Answer: TypeAlias = Delivered | Refused | Failed


class _Told(msgspec.Struct):
    code: str | None = None
    refused: str | None = None


_GONE = Refused(f"it answered {GONE}: there is nobody at its address any more")
_decode = msgspec.json.Decoder(_Told).decode


def read_answer(received: Received, now: dt.datetime) -> Answer:
    """Read it; `now` is when it came.

    2xx with nothing or a JSON object delivers; an object with `refused` refuses, whatever the status below 300 or of
    4xx. An error without it is no refusal: a wrong address or a server under repair says 404 too. But 410 says that
    nobody will ever answer here.
    """
    status, body = received.status, received.body
    fine, clients_fault = 200 <= status < 300, 400 <= status < 500
    unknown = Failed(f"it answered {status}", _not_before(received.retry_after, now))
    nothing = _GONE if status == GONE else unknown
    if fine and not body.strip():
        return Delivered()
    if not fine and not clients_fault:
        return nothing
    try:
        told = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Failed("its answer is no JSON object with texts", unknown.not_before) if fine else nothing
    if told.refused is not None:
        return Refused(_printable(told.refused)[:LONGEST_REASON].strip() or "no reason given")
    return _delivered(told.code) if fine else nothing


def _not_before(retry_after: str | None, now: dt.datetime) -> dt.datetime | None:
    """The moment that a header `Retry-After` names, in seconds or as a date; None where it is none of both."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal():
        # More digits than that are longer than is waited, and may be more than a moment can be.
        return now + min(dt.timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    # A date without a zone is one of GMT, as HTTP has no others.
    moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment
    return min(moment, now + LONGEST_WAIT) if moment > now else None


def _delivered(code: str | None) -> Answer:
    if code is None:
        return Delivered()
    code = code.strip()
    if not 0 < len(code) <= LONGEST_CODE or not code.isprintable():
        return Failed(f"its code is not 1 to {LONGEST_CODE} letters and signs")
    return Delivered(code)


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)
