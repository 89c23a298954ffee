"""The checks of `verify` that hold what velocity rules counted, and the reviews, against the journal."""

from __future__ import annotations

from setia.ledger.check import Check

_SAID = """
    SELECT j.program_id, j.member_id, j.seq, j.id AS entry_id, j.occurred_at AS at, u ->> 0 AS rule, u ->> 1 AS subject,
           (u ->> 2)::bigint AS amount
    FROM journal j CROSS JOIN LATERAL jsonb_path_query(j.outcome::jsonb, '$.velocity[*]') u
    WHERE j.outcome::text LIKE '%"velocity"%'
"""
_WAITING = """
    SELECT j.member_id, j.seq, j.id AS entry_id,
           sum(CASE jsonb_typeof(e -> 'amount') WHEN 'number' THEN (e -> 'amount')::numeric ELSE 0 END) AS points
    FROM journal j CROSS JOIN LATERAL jsonb_path_query(j.outcome::jsonb, '$.points[*] ? (exists (@.review))') e
    WHERE j.outcome::text LIKE '%"review"%' GROUP BY 1, 2, 3
"""

CHECKS: tuple[Check, ...] = (
    Check(
        "velocity_use",
        "I13",
        f"""
        SELECT s.member_id, s.seq, NULL, format('counted by rule %s for %s at %s', rule, subject, at),
               coalesce(s.amount::text, 'nothing'), coalesce(u.amount::text, 'nothing')
        FROM ({_SAID}) s FULL JOIN velocity_use u USING (program_id, entry_id, at, rule, subject)
        WHERE s.amount IS DISTINCT FROM u.amount
        """,
    ),
    Check(
        "review_entry",
        "I13",
        f"""
        SELECT coalesce(w.member_id, r.member_id), coalesce(w.seq, r.seq), NULL, 'points that wait for a review',
               coalesce(w.points::text, 'none'), coalesce(r.points::text, 'no review')
        FROM ({_WAITING}) w
        FULL JOIN (
            SELECT v.member_id, v.seq, v.entry_id, sum(p.value::numeric) AS points
            FROM velocity_review v CROSS JOIN LATERAL json_each_text(v.points) p GROUP BY 1, 2, 3
        ) r USING (entry_id)
        WHERE w.points IS DISTINCT FROM r.points OR w.seq IS DISTINCT FROM r.seq
        """,
    ),
    Check(
        "review_decision",
        "I13",
        """
        SELECT r.member_id, r.decided_seq, NULL, 'entry by which a review was ' || r.state,
               'an adjustment with the key of review ' || r.id, coalesce(j.idempotency_key, 'none')
        FROM velocity_review r
        LEFT JOIN journal j ON j.idempotency_key = 'review:rev_' || replace(r.id::text, '-', '')
             AND j.program_id = r.program_id AND j.seq = r.decided_seq AND j.kind = 'adjustment'
        WHERE (r.state = 'open') <> (j.id IS NULL)
        """,
    ),
)
