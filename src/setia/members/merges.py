"""Members who turned out to be one: who stands for whom, and what was moved between their rows.

The points and counters are moved by `setia.moving`; here lie the identifiers, attributes and tags, which are nobody
else's to write down.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg

# A member that others were merged into may have been merged itself: all of them lead to the one at the end.
_MAINS = "SELECT id, merged_into FROM member WHERE id = ANY (%b) AND merged_into IS NOT NULL"
_FAMILY = "SELECT id FROM member WHERE merged_into = %b ORDER BY id"
_COLUMNS = """
id, program_id, main_id, duplicate_id, seq, merged_at, actor, reason, undone_at, undone_by, undone_reason,
identifiers, attributes, tags, coupons
"""
_FIND = f"SELECT {_COLUMNS} FROM member_merge WHERE program_id = %b AND id = %b"
_STANDING = f"SELECT {_COLUMNS} FROM member_merge WHERE duplicate_id = %b AND undone_at IS NULL"
# Undone ones too: who has stood for whom at any time.
_STOOD = """
WITH RECURSIVE above AS (
    SELECT m.main_id FROM member_merge m WHERE m.duplicate_id = %b
    UNION SELECT m.main_id FROM member_merge m JOIN above a ON m.duplicate_id = a.main_id
)
SELECT main_id FROM above
"""
_OF_MAIN = f"SELECT {_COLUMNS} FROM member_merge WHERE main_id = %b OR duplicate_id = %b ORDER BY id"
# Who was merged into the duplicate before goes along, and comes along again.
_POINT = "UPDATE member SET merged_into = %b WHERE id = %b OR merged_into = %b"
_POINT_BACK = """
WITH RECURSIVE led AS (
    SELECT m.duplicate_id FROM member_merge m WHERE m.main_id = %b AND m.undone_at IS NULL
    UNION SELECT m.duplicate_id FROM member_merge m JOIN led ON m.main_id = led.duplicate_id AND m.undone_at IS NULL
)
UPDATE member SET merged_into = %b WHERE id IN (SELECT duplicate_id FROM led)
"""
_STAND_ALONE = "UPDATE member SET merged_into = NULL WHERE id = %b"
_MOVE_ALL = "UPDATE member_identifier SET member_id = %b WHERE member_id = %b RETURNING kind, value"
_MOVE_BACK = """
UPDATE member_identifier i SET member_id = %b FROM jsonb_array_elements(%b::jsonb) AS w (pair)
WHERE i.program_id = %b AND i.kind = w.pair ->> 0 AND i.value = w.pair ->> 1 AND i.member_id = %b
"""
_PROFILE = "SELECT attributes, tags FROM member WHERE id = %b"
_ADD = """
UPDATE member SET attributes = %b::jsonb || attributes, tags = %b, updated_at = %b WHERE id = %b
"""
# What was added is taken away where it is still as it was added.
_TAKE_AWAY = """
UPDATE member SET attributes = (
    SELECT coalesce(jsonb_object_agg(a.key, a.value), '{}') FROM jsonb_each(attributes) a
    WHERE a.value IS DISTINCT FROM %b::jsonb -> a.key
), tags = %b, updated_at = %b WHERE id = %b
"""
_INSERT = f"""
INSERT INTO member_merge ({_COLUMNS})
VALUES (%b, %b, %b, %b, %b, %b, %b, %b, NULL, NULL, NULL, %b::jsonb, %b::jsonb, %b, %b)
"""
_END = "UPDATE member_merge SET undone_at = %b, undone_by = %b, undone_reason = %b WHERE id = %b"


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """One merge. Its fields are the columns of the table."""

    id: UUID
    program_id: int
    main_id: UUID
    duplicate_id: UUID
    seq: int
    merged_at: dt.datetime
    actor: str
    reason: str
    undone_at: dt.datetime | None
    undone_by: str | None
    undone_reason: str | None
    identifiers: list[tuple[str, str]]
    attributes: dict[str, Any]
    tags: list[str]
    coupons: list[UUID]


_NAMES = tuple(field.name for field in msgspec.structs.fields(Merge))


class Profile(msgspec.Struct, frozen=True):
    """What a merge has moved beside points: identifiers, and attributes and tags that the other one did not have."""

    identifiers: list[tuple[str, str]]
    attributes: dict[str, Any]
    tags: list[str]


def main_of(connection: psycopg.Connection[Any], members: Collection[UUID]) -> dict[UUID, UUID]:
    """Those of some members who were merged, each with the member who stands for them now."""
    return dict(connection.execute(_MAINS, (list(members),)).fetchall())


def family_of(connection: psycopg.Connection[Any], member: UUID) -> list[UUID]:
    """A member and all who were merged into it: what any of them did counts for limits."""
    return [member, *(row[0] for row in connection.execute(_FAMILY, (member,)))]


def person_of(connection: psycopg.Connection[Any], member: UUID) -> list[UUID]:
    """Everybody who is one person with a member, also one who was merged itself: first who stands for all of them."""
    return family_of(connection, main_of(connection, [member]).get(member, member))


def find_merge(connection: psycopg.Connection[Any], program_id: int, merge_id: UUID) -> Merge | None:
    """One merge of a program."""
    return next(iter(_read(connection, _FIND, (program_id, merge_id))), None)


def standing_merge(connection: psycopg.Connection[Any], duplicate: UUID) -> Merge | None:
    """The merge by which a member is part of another one now."""
    return next(iter(_read(connection, _STANDING, (duplicate,))), None)


def stood_for(connection: psycopg.Connection[Any], member: UUID) -> list[UUID]:
    """Whoever stands for a member, or has at any time, however many others were between them."""
    return [row[0] for row in connection.execute(_STOOD, (member,))]


def merges_of(connection: psycopg.Connection[Any], member: UUID) -> list[Merge]:
    """Every merge that a member had to do with, the oldest first, those that were undone included."""
    return _read(connection, _OF_MAIN, (member, member))


def join(connection: psycopg.Connection[Any], main: UUID, duplicate: UUID, now: dt.datetime) -> Profile:
    """Let one locked member stand for another: identifiers move, and what is said of it fills what is missing."""
    identifiers = [(kind, value) for kind, value in connection.execute(_MOVE_ALL, (main, duplicate))]
    own, others = _profile(connection, main), _profile(connection, duplicate)
    attributes = {name: value for name, value in others[0].items() if name not in own[0]}
    tags = [tag for tag in others[1] if tag not in own[1]]
    connection.execute(_ADD, (json.dumps(attributes), sorted({*own[1], *tags}), now, main))
    connection.execute(_POINT, (main, duplicate, duplicate))
    return Profile(sorted(identifiers), attributes, tags)


def part(connection: psycopg.Connection[Any], merge: Merge, now: dt.datetime) -> None:
    """Undo `join`: identifiers that are still there move back, and what was added is taken away where it is as it was.

    The duplicate has kept what was said of it all the time.
    """
    identifiers = json.dumps([list(pair) for pair in merge.identifiers])
    values = (merge.duplicate_id, identifiers, merge.program_id, merge.main_id)
    connection.execute(_MOVE_BACK, values)
    _, tags = _profile(connection, merge.main_id)
    kept = [tag for tag in tags if tag not in merge.tags]
    connection.execute(_TAKE_AWAY, (json.dumps(merge.attributes), kept, now, merge.main_id))
    connection.execute(_STAND_ALONE, (merge.duplicate_id,))
    connection.execute(_POINT_BACK, (merge.duplicate_id, merge.duplicate_id))


def insert_merge(connection: psycopg.Connection[Any], merge: Merge) -> None:
    """Write a merge that was made."""
    connection.execute(
        _INSERT,
        (
            *(merge.id, merge.program_id, merge.main_id, merge.duplicate_id, merge.seq, merge.merged_at, merge.actor),
            *(merge.reason, json.dumps(merge.identifiers), json.dumps(merge.attributes), merge.tags, merge.coupons),
        ),
    )


def end_merge(connection: psycopg.Connection[Any], merge: Merge) -> None:
    """Write that a merge was undone."""
    connection.execute(_END, (merge.undone_at, merge.undone_by, merge.undone_reason, merge.id))


def _profile(connection: psycopg.Connection[Any], member: UUID) -> tuple[Mapping[str, Any], Sequence[str]]:
    [(attributes, tags)] = connection.execute(_PROFILE, (member,)).fetchall()
    return attributes, tags


def _read(connection: psycopg.Connection[Any], query: str, values: Sequence[Any]) -> list[Merge]:
    found = []
    for row in connection.execute(query, values):
        fields = dict(zip(_NAMES, row, strict=True))
        fields["identifiers"] = [(kind, value) for kind, value in fields["identifiers"]]
        found.append(Merge(**fields))
    return found
