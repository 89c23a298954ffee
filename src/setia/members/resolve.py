"""From the way a member is named to the member: one query for a whole batch, on the hot path."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias
from uuid import UUID

import psycopg

from setia.db.columns import texts, uuids
from setia.db.exchange import Exchange
from setia.members.identifiers import MemberReference
from setia.problems import Conflict

# A scalar subquery for each wanted value is always one probe of the primary key. A join would leave the planner the
# choice of reading the whole table, which it takes as long as it believes the table to be small.
_FIND = """
SELECT w.kind, w.value,
       (SELECT i.member_id FROM member_identifier i
         WHERE i.program_id = $1::int AND i.kind = w.kind AND i.value = w.value)
  FROM unnest($2::text[], $3::text[]) AS w(kind, value)
UNION ALL
SELECT 'id', w.id::text,
       (SELECT coalesce(m.merged_into, m.id) FROM member m WHERE m.id = w.id AND m.program_id = $1::int)
  FROM unnest($4::uuid[]) AS w(id)
"""


class MemberAmbiguous(Conflict):
    """The identifiers given together belong to different members."""

    code = "member_ambiguous"
    title = "The identifiers belong to different members"


Resolved: TypeAlias = UUID | MemberAmbiguous | None
"""The member; None when nobody is known by any of the identifiers; or the problem that they name two."""


def resolve(
    connection: psycopg.Connection[Any], program_id: int, references: Iterable[MemberReference]
) -> dict[MemberReference, Resolved]:
    """Find the members behind references. Members of other programs are nobody here.

    A reference that gives several identifiers is found by those that are known; the unknown ones do not matter. Nothing
    is raised for a single bad reference, so that it spoils no batch.
    """
    exchange = Exchange(connection)
    read = ask_resolved(exchange, program_id, references)
    exchange.send()
    return read()


def ask_resolved(
    exchange: Exchange, program_id: int, references: Iterable[MemberReference]
) -> Callable[[], dict[MemberReference, Resolved]]:
    """Ask now and read what `resolve` gives when the exchange is over, which carries the question with others."""
    wanted = dict.fromkeys(references)
    pairs = list({pair: None for reference in wanted for pair in reference.identifiers})
    ids = list({reference.id: None for reference in wanted if reference.id is not None})
    reply = exchange.ask(
        _FIND,
        str(program_id),
        texts([kind for kind, _ in pairs]),
        texts([value for _, value in pairs]),
        uuids(ids),
    )

    def read() -> dict[MemberReference, Resolved]:
        known: dict[tuple[str, str], UUID] = {
            (kind, value): member for kind, value, member in reply.rows if member is not None
        }
        return {reference: _resolved(reference, known) for reference in wanted}

    return read


def _resolved(reference: MemberReference, known: dict[tuple[str, str], UUID]) -> Resolved:
    members: dict[UUID, list[str]] = {}
    if reference.id is not None:
        member = known.get(("id", str(reference.id)))
        if member is None:
            # An id is exact: were it ignored, the card beside it would decide whose points these are.
            return None
        members.setdefault(member, []).append("id")
    for pair in reference.identifiers:
        found = known.get(pair)
        if found is not None:
            members.setdefault(found, []).append(pair[0])
    if len(members) > 1:
        kinds = ", ".join(kind for kinds in members.values() for kind in kinds)
        return MemberAmbiguous(f"{kinds} do not belong to the same member. Send those of one member.")
    return next(iter(members), None)
