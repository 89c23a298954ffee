"""Sentences about points that were moved, for the statements of both sides."""

from __future__ import annotations

from collections.abc import Iterable

from setia.engine.compiled import CompiledProgram
from setia.engine.decision import PointsEffect
from setia.engine.exact import in_units
from setia.engine.lot_sentences import points_name
from setia.engine.moved import Moved
from setia.engine.wording import Language, number

_WORDS: dict[str, dict[Language, str]] = {
    "given": {
        "en": "{amount} {points} given to member {other}.",
        "de": "{amount} {points} an Mitglied {other} übertragen.",
        "ms": "{amount} {points} diberi kepada ahli {other}.",
    },
    "received": {
        "en": "{amount} {points} from member {other}.",
        "de": "{amount} {points} von Mitglied {other} erhalten.",
        "ms": "{amount} {points} daripada ahli {other}.",
    },
    "given_gift": {
        "en": "{amount} {points} given as a gift to member {other}.",
        "de": "{amount} {points} an Mitglied {other} verschenkt.",
        "ms": "{amount} {points} dihadiahkan kepada ahli {other}.",
    },
    "received_gift": {
        "en": "A gift of {amount} {points} from member {other}.",
        "de": "{amount} {points} als Geschenk von Mitglied {other}.",
        "ms": "Hadiah {amount} {points} daripada ahli {other}.",
    },
    "taken_back": {
        "en": "{amount} {points} from member {other} taken back.",
        "de": "{amount} {points} von Mitglied {other} wieder zurückgenommen.",
        "ms": "{amount} {points} daripada ahli {other} ditarik balik.",
    },
    "came_back": {
        "en": "{amount} {points} came back that were given to member {other}.",
        "de": "{amount} an Mitglied {other} übertragene {points} sind zurück.",
        "ms": "{amount} {points} yang diberi kepada ahli {other} telah kembali.",
    },
    "exchanged_out": {
        "en": "{amount} {points} exchanged.",
        "de": "{amount} {points} eingetauscht.",
        "ms": "{amount} {points} ditukar.",
    },
    "exchanged_in": {
        "en": "{amount} {points} in exchange.",
        "de": "{amount} {points} im Tausch erhalten.",
        "ms": "{amount} {points} sebagai tukaran.",
    },
    "merged": {
        "en": "{amount} {points} of member {other}, who was merged with you.",
        "de": "{amount} {points} von Mitglied {other}, das mit dir zusammengeführt wurde.",
        "ms": "{amount} {points} daripada ahli {other} yang digabungkan dengan anda.",
    },
    "merged_into": {
        "en": "{amount} {points} moved to member {other}, with whom you were merged.",
        "de": "{amount} {points} an Mitglied {other} übergeben, mit dem du zusammengeführt wurdest.",
        "ms": "{amount} {points} dipindahkan kepada ahli {other} yang digabungkan dengan anda.",
    },
    "unmerged": {
        "en": "{amount} {points} given back to member {other}: the merge was undone.",
        "de": "{amount} {points} an Mitglied {other} zurückgegeben: Die Zusammenführung wurde aufgehoben.",
        "ms": "{amount} {points} dipulangkan kepada ahli {other}: penggabungan dibatalkan.",
    },
    "unmerged_from": {
        "en": "{amount} {points} back from member {other}: the merge was undone.",
        "de": "{amount} {points} von Mitglied {other} zurück: Die Zusammenführung wurde aufgehoben.",
        "ms": "{amount} {points} kembali daripada ahli {other}: penggabungan dibatalkan.",
    },
}
_DEBT: dict[Language, str] = {
    "en": "{amount} {points} owed came along.",
    "de": "{amount} geschuldete {points} kamen mit.",
    "ms": "{amount} {points} yang terhutang turut dipindahkan.",
}
_COMES = {"received", "received_gift", "came_back", "merged", "unmerged_from"}


def moving_sentences(
    program: CompiledProgram, moved: Moved, effects: Iterable[PointsEffect], language: Language
) -> list[str]:
    """One sentence for each point type that was moved, and what happened to it."""
    sums: dict[str, int] = {}
    for effect in effects:
        sums[effect.points] = sums.get(effect.points, 0) + effect.amount
    told = []
    for points, amount in sums.items():
        if not amount:
            continue
        kind: str = f"{moved.kind}_gift" if moved.gift else moved.kind
        if moved.kind == "exchanged":
            words = _WORDS["exchanged_in" if amount > 0 else "exchanged_out"]
        else:
            words = _WORDS[kind] if (amount > 0) == (kind in _COMES) else _DEBT
        shown = number(in_units(abs(amount), program.point_digits.get(points, 0)), language)
        name = points_name(program, points, amount, language)
        told.append(words[language].format(amount=shown, points=name, other=moved.other or ""))
    return told
