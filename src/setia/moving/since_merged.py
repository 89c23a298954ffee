"""What has become of points since a merge, by the journal of who stayed: what is gone, and what came back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from setia.db.ids import parse_id
from setia.members.identifiers import MEMBER_PREFIX

# What a transfer took back went to who had given it, whoever stands for the receiver. And what a further merge of the
# member who stayed has ended or given away of its lots was written down when that one was undone.
_GONE = """
SELECT g.seq, g.line, sum(g.amount)::bigint FROM (
    SELECT p.lot_seq AS seq, p.lot_line::int AS line, p.amount
    FROM journal j JOIN posting p ON p.member_id = j.member_id AND p.seq = j.seq
    WHERE j.member_id = %b AND j.seq > %b AND j.kind = 'transfer' AND p.destination = 'transferred'
      AND j.outcome::jsonb -> 'moved' ->> 'kind' = 'taken_back'
    UNION ALL
    SELECT (w.part ->> 0)::bigint, (w.part ->> 1)::int, (w.part ->> 2)::bigint
    FROM journal j CROSS JOIN LATERAL jsonb_array_elements(j.outcome::jsonb -> 'moved' -> 'gone') AS w (part)
    WHERE j.member_id = %b AND j.seq > %b AND j.kind = 'merge'
) g GROUP BY g.seq, g.line
"""
_KEPT = """
SELECT j.seq, p.line::int, p.amount, k.part ->> 'member', (k.part -> 'lot' ->> 0)::bigint, (k.part -> 'lot' ->> 1)::int
FROM journal j CROSS JOIN LATERAL jsonb_array_elements(j.outcome::jsonb -> 'moved' -> 'kept') AS k (part)
JOIN posting p ON p.member_id = j.member_id AND p.seq = j.seq AND p.line = (k.part ->> 'line')::int
WHERE j.member_id = %b AND j.seq > %b AND j.kind IN ('transfer', 'merge') AND k.part ->> 'member' = ANY (%b::text[])
ORDER BY j.seq, p.line
"""


class KeptLot(NamedTuple):
    """A lot of the member who stayed (`seq`, `line`), with `amount` that came back for `lot` of `member`."""

    seq: int
    line: int
    amount: int
    member: UUID
    lot: tuple[int, int]


def gone_since(connection: psycopg.Connection[Any], main: UUID, seq: int) -> dict[tuple[int, int], int]:
    """What of each lot was taken away since the entry `seq`, other than by spending it, ending or returning it."""
    rows = connection.execute(_GONE, (main, seq, main, seq))
    return {(lot, line): amount for lot, line, amount in rows}


def kept_since(connection: psycopg.Connection[Any], main: UUID, seq: int, people: Collection[str]) -> list[KeptLot]:
    """The lots that were opened since the entry `seq` for what came back to some members, named by public ids."""
    rows = connection.execute(_KEPT, (main, seq, list(people)))
    return [
        KeptLot(opened, line, amount, parse_id(MEMBER_PREFIX, member), (lot_seq, lot_line))
        for opened, line, amount, member, lot_seq, lot_line in rows
    ]
