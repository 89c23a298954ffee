"""Sentences about points that lay in lots already: released, taken back, ended or extended, by an event or by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from setia.engine.compiled import CompiledProgram
from setia.engine.decision import LotMove
from setia.engine.exact import in_units
from setia.engine.wording import DAYS, Language, number

_WORDS: dict[str, dict[Language, str]] = {
    "released": {
        "en": "{amount} {points} can be used now.",
        "de": "{amount} {points} ab jetzt einlösbar.",
        "ms": "{amount} {points} kini boleh digunakan.",
    },
    "released_order": {
        "en": "{amount} {points} of order {order} can be used now.",
        "de": "{amount} {points} aus Bestellung {order} ab jetzt einlösbar.",
        "ms": "{amount} {points} daripada pesanan {order} kini boleh digunakan.",
    },
    "cancelled": {
        "en": "{amount} pending {points} taken back.",
        "de": "{amount} noch nicht einlösbare {points} zurückgenommen.",
        "ms": "{amount} {points} yang belum boleh digunakan ditarik balik.",
    },
    "cancelled_order": {
        "en": "{amount} pending {points} of order {order} taken back.",
        "de": "{amount} noch nicht einlösbare {points} aus Bestellung {order} zurückgenommen.",
        "ms": "{amount} {points} daripada pesanan {order} yang belum boleh digunakan ditarik balik.",
    },
    "kept": {
        "en": "{amount} {points} approved; they can be used later.",
        "de": "{amount} {points} freigegeben; sie sind später einlösbar.",
        "ms": "{amount} {points} diluluskan; boleh digunakan kemudian.",
    },
    "voided": {
        "en": "{amount} {points} not approved, and taken back.",
        "de": "{amount} {points} nicht freigegeben und zurückgenommen.",
        "ms": "{amount} {points} tidak diluluskan dan ditarik balik.",
    },
    "expired": {
        "en": "{amount} {points} ended by hand.",
        "de": "{amount} {points} von Hand beendet.",
        "ms": "{amount} {points} ditamatkan secara manual.",
    },
    "extended": {
        "en": "{amount} {points} can now be used through {date}.",
        "de": "{amount} {points} jetzt bis einschließlich {date} einlösbar.",
        "ms": "{amount} {points} kini boleh digunakan hingga {date}.",
    },
    "extended_for_ever": {
        "en": "{amount} {points} no longer end.",
        "de": "{amount} {points} verfallen nicht mehr.",
        "ms": "{amount} {points} tidak lagi luput.",
    },
}
_REASON: dict[Language, str] = {"en": " Reason: {reason}.", "de": " Grund: {reason}.", "ms": " Sebab: {reason}."}
REVIEWED: dict[Language, str] = {
    "en": " They can be used once they have been reviewed.",
    "de": " Einlösbar, sobald sie geprüft sind.",
    "ms": " Boleh digunakan selepas disemak.",
}
WAITING: dict[Language, str] = {
    "en": " They can be used after “{event}”.",
    "de": " Einlösbar nach „{event}“.",
    "ms": " Boleh digunakan selepas “{event}”.",
}


def move_sentences(
    program: CompiledProgram, moves: Iterable[LotMove], language: Language, reason: str = ""
) -> list[str]:
    """One sentence for all lots of a point type with the same fate; `reason` is what somebody wrote who did it."""
    sums: dict[tuple[str, str, str | None, dt.datetime | None], int] = {}
    for move in moves:
        key = (move.what, move.points, move.order, move.expires_at)
        sums[key] = sums.get(key, 0) + move.amount
    told = []
    for (what, points, order, ends), amount in sums.items():
        kind, date = what, ""
        if what in {"released", "cancelled"} and order is not None:
            kind = f"{what}_order"
        elif what == "extended":
            kind = what if ends is not None else "extended_for_ever"
            date = "" if ends is None else last_day(program, ends).strftime(DAYS[language])
        sentence = _WORDS[kind][language].format(
            amount=number(in_units(amount, program.point_digits.get(points, 0)), language),
            points=points_name(program, points, amount, language),
            order=order,
            date=date,
        )
        told.append(sentence + (_REASON[language].format(reason=reason) if reason else ""))
    return told


def last_day(program: CompiledProgram, ends: dt.datetime) -> dt.date:
    """The local day on which points can be used last that end (exclusive) at a moment."""
    return (ends - dt.timedelta(microseconds=1)).astimezone(program.zone).date()


def points_name(program: CompiledProgram, points: str, amount: int, language: Language) -> str:
    """What so many points of a type are called: one star, two stars."""
    point_type = program.definition.points.get(points)
    if point_type is None:
        return points
    exactly_one = abs(amount) == program.units[points] and point_type.one is not None
    name = point_type.one if exactly_one else point_type.name
    return points if name is None else name.in_locale(language, program.definition.program.locale)


def event_name(program: CompiledProgram, event: str, language: Language) -> str:
    """What an event is called: `order_shipped` is `order shipped` where it has no name."""
    known = program.definition.events.get(event)
    if known is None or known.name is None:
        return event.replace("_", " ")
    return known.name.in_locale(language, program.definition.program.locale)
