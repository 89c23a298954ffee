"""Counting again, from the journal, what orders have of coupons: the tables follow from it, and are mended so."""

from __future__ import annotations

from typing import Any

import psycopg

# What each order took of each coupon at first, and what it has of it now.
_TOLD = """
    SELECT c.coupon, c.event, min(c.member_id::text)::uuid AS member_id, min(c.booked_at) AS used_at,
           (array_agg(c.amount ORDER BY c.seq))[1] AS amount,
           sum(CASE c.what WHEN 'used' THEN c.amount ELSE -c.amount END) AS stands,
           sum(CASE c.what WHEN 'used' THEN c.uses ELSE -c.uses END) AS uses, bool_or(c.by_hand) AS by_hand
    FROM (
        SELECT j.member_id, j.seq, j.booked_at, e.value ->> 'what' AS what,
               substr(e.value ->> 'coupon', 5)::uuid AS coupon,
               coalesce(substr(coalesce(e.value ->> 'order', j.outcome #>> '{undoes,event}'), 5)::uuid, j.id) AS event,
               e.value ->> 'order' IS NOT NULL AS by_hand,
               (e.value ->> 'amount')::bigint AS amount, coalesce((e.value ->> 'uses')::bigint, 0) AS uses
        FROM journal j CROSS JOIN LATERAL json_array_elements(j.outcome -> 'coupons') e
        WHERE j.program_id = %b AND strpos(j.outcome::text, '"coupons":[') > 0
          AND e.value ->> 'what' IN ('used', 'restored')
    ) c
    GROUP BY c.coupon, c.event
"""
_LOCK = "SELECT id FROM coupon WHERE program_id = %b ORDER BY id FOR UPDATE"
_USES = f"""
INSERT INTO coupon_use AS u (coupon_id, event_id, member_id, used_at, amount, restored, is_restored, by_hand)
SELECT t.coupon, t.event, t.member_id, t.used_at, t.amount, coalesce(t.amount - t.stands, 0), t.uses = 0, t.by_hand
FROM ({_TOLD}) t
ON CONFLICT (coupon_id, event_id) DO UPDATE
SET amount = EXCLUDED.amount, restored = EXCLUDED.restored, is_restored = EXCLUDED.is_restored,
    by_hand = EXCLUDED.by_hand
WHERE (u.amount, u.restored, u.is_restored, u.by_hand)
      IS DISTINCT FROM (EXCLUDED.amount, EXCLUDED.restored, EXCLUDED.is_restored, EXCLUDED.by_hand)
"""
_COUPONS = """
UPDATE coupon c SET used = s.used, spent = s.spent
FROM (
    SELECT c.id, count(u.coupon_id) FILTER (WHERE NOT u.is_restored) AS used,
           coalesce(sum(u.amount - u.restored), 0) AS spent
    FROM coupon c LEFT JOIN coupon_use u ON u.coupon_id = c.id WHERE c.program_id = %b GROUP BY c.id
) s
WHERE s.id = c.id AND (c.used, c.spent) IS DISTINCT FROM (s.used, s.spent)
"""


def recount(connection: psycopg.Connection[Any], program_id: int) -> int:
    """Count uses and money of all coupons of a program again, in the caller's transaction; gives how many rows changed.

    Orders with coupons wait meanwhile. A coupon whose row has gone cannot be counted: take it from a backup.
    """
    connection.execute(_LOCK, (program_id,))
    uses = connection.execute(_USES, (program_id,)).rowcount
    return uses + connection.execute(_COUPONS, (program_id,)).rowcount
