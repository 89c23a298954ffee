"""Points that move between members, and members who are merged: what cases say of it, do and expect."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from typing import Any

from cases.amounts import exact
from cases.draft import POINTS, Draft, Setting
from cases.play import Play
from cases.published import Data, NotExpressible, known
from cases.shop import Answer

Look = Callable[[Play, Any], Any]
GIVER = "the giver"
"""Who gives where a case names nobody."""
_FRESH = {"resets expiry": True, "fresh expiry": True, "new expiry": True, "allowed": False, "keeps expiry": False}
"""How a source says that members can give points -> whether these then end as if they had just been earned."""
_RANKS = ("bronze", "silver", "gold", "platinum", "diamond")
_LOOKUP = re.compile(r"^lookup_of_(\w+)_returns$")


def _transfer_setting(draft: Draft, value: Any) -> None:
    """`transfer`: members can give each other points."""
    if value not in _FRESH:
        raise NotExpressible(f"transfer: {value}")
    made = draft.more.setdefault("transfers", {}).setdefault(POINTS, {})
    made.update({"expiry": "fresh"} if _FRESH[value] else {})


def _receiver_expiry(draft: Draft, value: Any) -> None:
    """`receiver_lot_expiry`: when transferred points end."""
    if value not in {"same as source lot", "fresh"}:
        raise NotExpressible(f"receiver_lot_expiry: {value}")
    made = draft.more.setdefault("transfers", {}).setdefault(POINTS, {})
    made["expiry"] = "fresh" if value == "fresh" else "keep"


MOVING_SETTINGS: dict[str, Setting] = {"transfer": _transfer_setting, "receiver_lot_expiry": _receiver_expiry}


def in_rank(levels: Sequence[str]) -> list[str]:
    """Levels that are named in any order, the lowest first, where all their names say which is higher."""
    if all(level.lower() in _RANKS for level in levels):
        return sorted(levels, key=lambda level: _RANKS.index(level.lower()))
    return list(levels)


def levels_named(event: Data) -> list[str]:
    """The levels that an event names: its member's, or those of several."""
    told = [event, *event.get("members", {}).values()] if event["type"] == "state" else [event]
    return [str(one["tier"]) for one in told if "tier" in one]


def of_each(event: Data) -> list[Data]:
    """A state of several members as one of each: `members: {a: {points: 1}}`."""
    return [{"type": "state", "member": name, **values} for name, values in event["members"].items()]


def _transfer(play: Play, event: Data, at: dt.datetime) -> Answer:
    known(event, "type", "from", "to", "points", "date", "at")
    giver, receiver = str(event.get("from", GIVER)), str(event.get("to", play.somebody))
    points = exact(event.get("points", 1))
    if "from" not in event:
        # What they are worth nothing is said of, so they would have ended soon: a fresh end is seen to be one.
        play.shop.adjust(giver, points, expires_at=(at + dt.timedelta(days=1)).isoformat())
    body = {
        "from": {"id": play.shop.enrol(giver)},
        "to": {"id": play.shop.enrol(receiver)},
        "points": POINTS,
        "amount": play.shop.units(points),
        "reference": f"transfer {len(play.steps)}",
    }
    play.asked["receiver"] = receiver
    return play.shop.post("/v1/transfers", body)


def _merge(play: Play, event: Data, _at: dt.datetime) -> Answer:
    known(event, "type", "from", "into", "date", "at")
    main = str(event["into"])
    answer: Answer | None = None
    names = event["from"] if isinstance(event["from"], list) else [event["from"]]
    for number, name in enumerate(names):
        body = {"duplicate": play.shop.enrol(str(name)), "reason": "the case says so"}
        path = f"/v1/members/{play.shop.enrol(main)}/merge"
        answer = play.shop.post(path, body, {"Idempotency-Key": f"merge-{len(play.steps)}-{number}"})
        if answer.problem is not None:
            raise AssertionError(f"{name} cannot be merged: {answer.body}")
    if answer is None:
        raise NotExpressible("a merge of nobody")
    return answer


MOVING_HAPPENINGS = {"transfer": _transfer, "merge": _merge}


def _receiver_lots(play: Play, _wanted: Any) -> list[Any]:
    return [play.shop.whole(lot["remaining"]) for lot in play.shop.lots(str(play.asked["receiver"]))]


def _of_member(name: str) -> Look:
    def look(play: Play, wanted: Data) -> Data:
        found: Data = {"points": play.balance(name)} if "points" in wanted else {}
        return found | ({"tier": play.level(name)} if "tier" in wanted else {})

    return look


def _found_as(name: str) -> Look:
    def look(play: Play, _wanted: Any) -> str:
        member = play.shop.find(name)
        return next((known_as for known_as, one in play.shop.members.items() if one == member), str(member))

    return look


MOVING_LOOKS: dict[str, Look] = {"receiver_lots": _receiver_lots}


def moving_look(word: str, wanted: Any) -> Look | None:
    """What a word expects that names a member: `main: {points: 1, tier: x}`, or `lookup_of_x_returns`."""
    lookup = _LOOKUP.match(word)
    if lookup is not None:
        return _found_as(lookup[1])
    if isinstance(wanted, dict) and wanted and wanted.keys() <= {"points", "tier"}:
        return _of_member(word)
    return None
