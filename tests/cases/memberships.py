"""Memberships that cost something: what they cost, how long they last, and what is lost with them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from cases.amounts import decimal_text
from cases.draft import POINTS, Draft, Setting
from cases.play import Play
from cases.published import Data, NotExpressible, known
from cases.shop import Answer
from cases.tier_findings import member_from
from cases.tier_happenings import joined
from cases.words import plain

_UNITS = {"day": "d", "week": "w", "month": "mo", "year": "y"}
_WHEN = ("type", "member", "date", "at", "day", "days_ago")
_ORDINARY = ("ordinary", "free", "basic", "unpaid", "none", "false")
_PRICED = "membership"
"""The effect that tells what a membership costs."""


def _one_or_more(unit: object) -> str:
    """A unit of time, in the singular or the plural."""
    text = str(unit).removesuffix("s")
    if text not in _UNITS:
        raise NotExpressible(f"memberships by {unit}")
    return _UNITS[text]


def _priced(draft: Draft, value: Data) -> None:
    """A membership for a period of the calendar: who joins within it pays for the days that are left, or for all."""
    known(value, "from", "to", "fee", "prorate", "share_decimals")
    first, last = (dt.date.fromisoformat(str(value[word])) for word in ("from", "to"))
    fee = decimal_text(value["fee"])
    values = {"share": "1.0", "fee": fee}
    day = "time.date"
    values["member_from"] = (
        f"{day} < {json.dumps(str(first))} ? {json.dumps(str(first))} : "
        f"{day} > {json.dumps(str(last))} ? {json.dumps(str(last))} : {day}"
    )
    if value.get("prorate"):
        end = json.dumps(f"{last + dt.timedelta(days=1)}T00:00:00Z")
        whole = (last - first).days + 1
        left = f'max(0, min({whole}, days_between(timestamp({day} + "T00:00:00Z"), timestamp({end}))))'
        steps = f"1{'0' * int(value.get('share_decimals', 6))}.0"
        share = f"round({left} * {steps} / {whole}.0) / {steps}"
        values |= {"share": share, "fee": f"round({share} * {fee} * 100.0) / 100.0"}
    own = draft.own_event("join")
    draft.campaign(on=own, effect={"name": _PRICED, "values": values})


def membership(draft: Draft, value: Any) -> None:
    """A membership that costs something, as an attribute of the member that rates depend on."""
    if isinstance(value, dict) and "length" in value:
        known(value, "length", "unit")
        draft.ladder([{"name": "nobody"}, {"name": "member"}])
        period_of = f"{value['length']}{_one_or_more(value['unit'])}"
        draft.tiers[0]["validity"] = {"after": period_of, "first_day_counts": True}
        return
    if isinstance(value, dict) and "fee" in value:
        _priced(draft, value)
        return
    if isinstance(value, dict) and "upgrade_fee" not in value:
        raise NotExpressible(f"memberships with {', '.join(value)}")
    draft.attribute("membership")
    # A membership with an upgrade fee is one that members do not have yet.
    paid = "upgrade_fee" not in value if isinstance(value, dict) else plain(value) not in _ORDINARY
    if isinstance(value, dict) and "upgrade_fee" in value:
        own = draft.own_event("upgrade", months_left="integer")
        fee = f"{decimal_text(value['upgrade_fee'])} * event.data.months_left / 12"
        draft.campaign(on=own, effect={"name": "upgrade", "values": {"fee": fee}}, set={"membership": '"paid"'})
    draft.enrolled_with["membership"] = "paid" if paid else "ordinary"


def on_downgrade(draft: Draft, value: str) -> None:
    """What becomes of the points of a member who goes back to the ordinary membership."""
    if value != "forfeit":
        raise NotExpressible(f"on_downgrade {value!r}")
    own = draft.own_event("downgrade_membership")
    draft.campaign(on=own, deduct={POINTS: {"expression": f"member.points.{POINTS}"}}, set={"membership": '"ordinary"'})


def _join(play: Play, event: Data, at: dt.datetime) -> Answer | None:
    """Somebody becomes a member from a day on."""
    known(event, *_WHEN)
    if "join" in play.draft.events:
        return play.shop.send({"type": "join"}, play.named(event), at)
    joined(play, event, at)
    return None


def _told(name: str) -> Any:
    def look(play: Play, _wanted: Any) -> Any:
        effects = [one for step in play.steps if step.answer is not None for one in step.answer.effects]
        values = [one["value"] for one in effects if one["kind"] == "custom" and one["name"] == _PRICED]
        return values[-1][name] if values else None

    return look


def _since(play: Play, wanted: Any) -> Any:
    return _told("member_from")(play, wanted) or member_from(play, wanted)


MEMBERSHIP_SETTINGS: dict[str, Setting] = {"membership": membership, "on_downgrade": on_downgrade}
MEMBERSHIP_HAPPENINGS = {"join": _join, "next_date": _join}
MEMBERSHIP_LOOKS = {"share": _told("share"), "fee": _told("fee"), "member_from": _since}
