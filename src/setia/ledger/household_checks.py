"""The checks of `verify` about points that moved between the members of households."""

from __future__ import annotations

from setia.ledger.check import Check

CHECKS: tuple[Check, ...] = (
    Check(
        "household_moved",
        "I13",
        """
        SELECT coalesce(p.member_id, m.member_id), p.seq, NULL, 'points that moved within a household',
               coalesce(m.amount::text, 'no move'), coalesce(p.amount::text, 'no entry')
        FROM (
            SELECT j.id AS entry_id, j.member_id, j.seq, p.point_type AS points,
                   sum(CASE WHEN p.source = 'transferred' THEN p.amount ELSE -p.amount END) AS amount
            FROM journal j JOIN posting p ON p.member_id = j.member_id AND p.seq = j.seq
            WHERE j.kind = 'household' AND p.campaign IS DISTINCT FROM 'debt'
            GROUP BY j.id, j.member_id, j.seq, p.point_type
        ) p
        FULL JOIN (
            SELECT v.entry_id, s.member_id, v.points, sum(v.amount) AS amount
            FROM household_move v JOIN household_member s ON s.id = v.stay_id
            WHERE v.entry_id IS NOT NULL GROUP BY v.entry_id, s.member_id, v.points
        ) m USING (entry_id, points)
        WHERE p.amount IS DISTINCT FROM m.amount
        UNION ALL
        SELECT NULL, NULL, NULL, format('%s that moved within households of program %s', p.point_type, p.program_id),
               '0 on the way', sum(CASE p.source WHEN 'transferred' THEN p.amount ELSE -p.amount END)::text
        FROM journal j JOIN posting p ON p.member_id = j.member_id AND p.seq = j.seq
        WHERE j.kind = 'household' AND p.campaign IS DISTINCT FROM 'debt' GROUP BY p.program_id, p.point_type
        HAVING sum(CASE p.source WHEN 'transferred' THEN p.amount ELSE -p.amount END) <> 0
        """,
    ),
)
