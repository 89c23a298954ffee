"""Points that move between members, and members who are merged: what cases say of it, do and expect."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from cases.amounts import exact, number
from cases.draft import POINTS, Draft, Setting
from cases.play import Play
from cases.published import Data, NotExpressible, known
from cases.shop import Answer
from cases.words import meaning, plain

Look = Callable[[Play, Any], Any]
GIVER = "the giver"
"""Who gives where a case names nobody."""
_FRESH = {
    **dict.fromkeys(("resets expiry", "fresh expiry", "new expiry", "fresh"), True),
    **dict.fromkeys(("allowed", "true", "keeps expiry", "keep expiry", "same expiry"), False),
}
"""How a source says that members can give points -> whether these then end as if they had just been earned."""
_LOOKUP = re.compile(r"^lookup_of_(\w+)_returns$")


def _transfer_setting(draft: Draft, value: Any) -> None:
    """`transfer`: members can give each other points."""
    if plain(value) in {"not allowed", "forbidden", "none", "false", "never"}:
        return  # nothing is said of transfers then
    fresh = meaning(_FRESH, value, "transfer")
    made = draft.more.setdefault("transfers", {}).setdefault(POINTS, {})
    made.update({"expiry": "fresh"} if fresh else {})


def _receiver_expiry(draft: Draft, value: Any) -> None:
    """`receiver_lot_expiry`: when transferred points end."""
    ways = {
        **dict.fromkeys(("same as source lot", "same as source", "kept", "keep"), "keep"),
        **dict.fromkeys(("fresh", "new", "from the transfer date"), "fresh"),
    }
    made = draft.more.setdefault("transfers", {}).setdefault(POINTS, {})
    made["expiry"] = meaning(ways, value, "receiver_lot_expiry")


def _at_least(draft: Draft, value: Any) -> None:
    draft.more.setdefault("transfers", {}).setdefault(POINTS, {})["least"] = number(value)


def _at_most(draft: Draft, value: Any) -> None:
    draft.more.setdefault("transfers", {}).setdefault(POINTS, {})["most"] = number(value)


MOVING_SETTINGS: dict[str, Setting] = {
    "transfer": _transfer_setting,
    "receiver_lot_expiry": _receiver_expiry,
    **dict.fromkeys(("min_transfer", "min_points_per_transfer", "transfer_min"), _at_least),
    **dict.fromkeys(("max_transfer", "max_points_per_transfer", "transfer_max"), _at_most),
}


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
    for place, name in enumerate(names):
        body = {"duplicate": play.shop.enrol(str(name)), "reason": "the case says so"}
        path = f"/v1/members/{play.shop.enrol(main)}/merge"
        answer = play.shop.post(path, body, {"Idempotency-Key": f"merge-{len(play.steps)}-{place}"})
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
