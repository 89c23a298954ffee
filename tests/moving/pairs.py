"""Two members who may be one: what each has, merged and parted again."""

import itertools
from typing import Any

from httpx import Response

from api_world import World
from moving.movers import post, rows

_keys = itertools.count()
_LOTS = """
SELECT point_type, seq, line, remaining, pending, expires_at, earned_at FROM lot
WHERE member_id = %s AND is_open ORDER BY seq, line
"""
_WALLETS = """
SELECT point_type, available, pending, held FROM wallet WHERE member_id = %s
AND (available, pending, held) <> (0, 0, 0) ORDER BY point_type
"""
_PROFILE = "SELECT attributes, tags, merged_into FROM member WHERE id = %s"
_KNOWN_BY = "SELECT kind, value FROM member_identifier WHERE member_id = %s ORDER BY kind, value"
_REDEMPTIONS = "SELECT id, state, parts::text FROM redemption WHERE member_id = %s ORDER BY id"


def merge(world: World, main: str, duplicate: str, **more: Any) -> Response:
    """Merge a duplicate into a member."""
    body = {"duplicate": duplicate, "reason": "the same person"}
    return post(world, f"/v1/members/{main}/merge", body, key=more.pop("key", f"merge-{next(_keys)}"), **more)


def merged(world: World, main: str, duplicate: str) -> str:
    """Merge them, which must be done; give the id of the merge."""
    answer = merge(world, main, duplicate)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def undo(world: World, merge_id: str, **more: Any) -> Response:
    """Part them again."""
    body = {"reason": "father and son", **more}
    return post(world, f"/v1/merges/{merge_id}/undo", body, key=f"undo-{next(_keys)}")


def parted(world: World, merge_id: str, **more: Any) -> None:
    """Part them, which must be done."""
    answer = undo(world, merge_id, **more)
    assert answer.status_code == 200, answer.text


def whole(world: World, member: str) -> dict[str, Any]:
    """Everything a member has."""
    identity = member.removeprefix("mem_")
    [(counters,)] = rows(world, "SELECT counters FROM member_state WHERE member_id = %s", identity)
    found = {"counters": counters}
    for name, query in (
        ("wallets", _WALLETS),
        ("lots", _LOTS),
        ("profile", _PROFILE),
        ("known by", _KNOWN_BY),
        ("redemptions", _REDEMPTIONS),
    ):
        found[name] = rows(world, query, identity)
    return found
