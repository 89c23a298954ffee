"""The checks of `verify` that hold bought points against the postings of their entries."""

from __future__ import annotations

from setia.ledger.check import Check

CHECKS: tuple[Check, ...] = (
    Check(
        "sale_points",
        "I13",
        """
        SELECT coalesce(a.member_id, b.member_id), coalesce(a.seq, b.seq), NULL,
               'points that were bought or given back', coalesce(a.points, 'no sale'), coalesce(b.points, 'no entry')
        FROM (
            SELECT n.member_id, n.seq, format('%s %s', n.amount, s.points) AS points
            FROM point_sale s
            CROSS JOIN LATERAL (
                VALUES (s.member_id, s.seq, s.amount), (s.refunded_id, s.refunded_seq, -s.refunded)
            ) AS n (member_id, seq, amount)
            WHERE n.seq IS NOT NULL
        ) a
        FULL JOIN (
            SELECT p.member_id, p.seq,
                   format('%s %s', sum(CASE WHEN p.source = 'issued' THEN p.amount ELSE -p.amount END), p.point_type)
                       AS points
            FROM posting p JOIN journal j ON j.member_id = p.member_id AND j.seq = p.seq AND j.kind = 'sale'
            WHERE p.campaign IS DISTINCT FROM 'debt' GROUP BY p.member_id, p.seq, p.point_type
        ) b USING (member_id, seq)
        WHERE a.points IS DISTINCT FROM b.points
        """,
    ),
)
