"""The checks of `verify` about points that were moved: what one side gives the other side gets, and nobody else."""

from __future__ import annotations

from setia.ledger.check import Check

CHECKS: tuple[Check, ...] = (
    Check(
        "moved_unequal",
        "I2",
        """
        SELECT min(p.member_id::text)::uuid, NULL, NULL,
               format('%s moved by %s', p.point_type, coalesce(j.outcome::jsonb -> 'moved' ->> 'id', 'nothing')),
               'as much given as got',
               sum(CASE WHEN p.destination = 'transferred' THEN p.amount WHEN p.source = 'transferred' THEN -p.amount
                        ELSE 0 END)::text || ' more given'
        FROM journal j JOIN posting p ON p.member_id = j.member_id AND p.seq = j.seq
        WHERE j.kind IN ('transfer', 'merge')
        GROUP BY j.program_id, p.point_type, j.outcome::jsonb -> 'moved' ->> 'id'
        HAVING sum(CASE WHEN p.destination = 'transferred' THEN p.amount WHEN p.source = 'transferred' THEN -p.amount
                        ELSE 0 END) <> 0
        """,
    ),
    Check(
        "transfer_points",
        "I2",
        """
        SELECT t.giver_id, t.giver_seq, NULL, 'transfer xfr_' || replace(t.id::text, '-', ''),
               format('%s given, %s taken back', coalesce(g.given, 0), coalesce(b.back, 0)),
               format('%s given, %s taken back', t.amount, t.reversed)
        FROM transfer t
        LEFT JOIN LATERAL (
            SELECT sum(p.amount) AS given FROM posting p
            WHERE p.member_id = t.giver_id AND p.seq = t.giver_seq AND p.destination = 'transferred'
              AND p.point_type = t.points
        ) g ON true
        LEFT JOIN LATERAL (
            SELECT sum((w.part ->> 'back')::bigint) AS back FROM json_array_elements(t.parts) AS w (part)
        ) b ON true
        WHERE (t.amount, t.reversed) IS DISTINCT FROM (coalesce(g.given, 0), coalesce(b.back, 0))
        """,
    ),
    Check(
        "exchange_points",
        "I2",
        """
        SELECT e.member_id, e.seq, NULL, 'exchange exc_' || replace(e.id::text, '-', ''),
               format('%s given, %s got', coalesce(p.given, 0), coalesce(p.got, 0)),
               format('%s given, %s got', e.given, e.got)
        FROM exchange e
        LEFT JOIN LATERAL (
            SELECT sum(p.amount) FILTER (WHERE p.destination = 'redeemed' AND p.point_type = e.given_points) AS given,
                   sum(p.amount) FILTER (WHERE p.source = 'issued' AND p.point_type = e.got_points) AS got
            FROM posting p WHERE p.member_id = e.member_id AND p.seq = e.seq
        ) p ON true
        WHERE (e.given, e.got) IS DISTINCT FROM (coalesce(p.given, 0), coalesce(p.got, 0))
        """,
    ),
    # Whatever somebody had who is part of another member is that member's.
    Check(
        "merged_points",
        "I13",
        """
        SELECT m.id, NULL, NULL, format('%s of a member who was merged into another one', w.point_type), 'none',
               format('available %s, pending %s, held %s', w.available, w.pending, w.held)
        FROM member m JOIN wallet w ON w.member_id = m.id
        WHERE m.merged_into IS NOT NULL AND (w.available, w.pending, w.held) <> (0, 0, 0)
        """,
    ),
    Check(
        "merge_unknown",
        "I13",
        """
        SELECT m.id, NULL, NULL, 'merge into ' || m.merged_into, 'a merge that stands', 'none'
        FROM member m
        WHERE m.merged_into IS NOT NULL
          AND NOT EXISTS (SELECT FROM member_merge g WHERE g.duplicate_id = m.id AND g.undone_at IS NULL)
        UNION ALL
        SELECT g.duplicate_id, NULL, NULL, 'merge mrg_' || replace(g.id::text, '-', ''), 'a member who is merged',
               'none'
        FROM member_merge g JOIN member m ON m.id = g.duplicate_id
        WHERE g.undone_at IS NULL AND m.merged_into IS NULL
        """,
    ),
)
