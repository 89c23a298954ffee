"""The checks of `verify` that hold coupons against their uses, and both against what the journal says of them."""

from __future__ import annotations

from setia.ledger.check import Check

# Every change of a coupon that the journal tells, with the order it was used with or granted by.
_CHANGES = """
    SELECT j.member_id, e.value ->> 'coupon' AS coupon, e.value ->> 'what' AS what,
           coalesce(e.value ->> 'order', j.outcome #>> '{undoes,event}',
                    'evt_' || replace(j.id::text, '-', '')) AS event,
           coalesce((e.value ->> 'amount')::bigint, 0) AS amount, coalesce((e.value ->> 'uses')::bigint, 0) AS uses
    FROM journal j CROSS JOIN LATERAL json_array_elements(j.outcome -> 'coupons') e
    WHERE strpos(j.outcome::text, '"coupons":[') > 0
"""

CHECKS: tuple[Check, ...] = (
    Check(
        "coupon_uses",
        "I11",
        """
        SELECT c.member_id, NULL, NULL, 'uses of the coupon ' || c.id || ', and what they took',
               format('%s, %s', coalesce(u.uses, 0), coalesce(u.spent, 0)), format('%s, %s', c.used, c.spent)
        FROM coupon c
        LEFT JOIN (
            SELECT coupon_id, count(*) FILTER (WHERE NOT is_restored) AS uses, sum(amount - restored) AS spent
            FROM coupon_use GROUP BY coupon_id
        ) u ON u.coupon_id = c.id
        WHERE c.used <> coalesce(u.uses, 0) OR c.spent <> coalesce(u.spent, 0)
           OR c.used > c.uses OR c.spent > c.worth
        """,
    ),
    Check(
        "coupon_history",
        "I13",
        f"""
        SELECT coalesce(u.member_id, j.member_id), NULL, NULL,
               format('what the order %s used of the coupon %s, and whether it does', event, coupon),
               format('%s, %s', coalesce(j.amount, 0), coalesce(j.uses, 0)),
               format('%s, %s', coalesce(u.amount, 0), coalesce(u.uses, 0))
        FROM (
            SELECT min(member_id::text)::uuid AS member_id, coupon, event,
                   sum(CASE what WHEN 'used' THEN amount ELSE -amount END) AS amount,
                   sum(CASE what WHEN 'used' THEN uses ELSE -uses END) AS uses
            FROM ({_CHANGES}) c WHERE what IN ('used', 'restored') GROUP BY coupon, event
        ) j
        FULL JOIN (
            SELECT member_id, 'cpn_' || replace(coupon_id::text, '-', '') AS coupon,
                   'evt_' || replace(event_id::text, '-', '') AS event, coalesce(amount - restored, 0) AS amount,
                   CASE WHEN is_restored THEN 0 ELSE 1 END AS uses
            FROM coupon_use
        ) u USING (coupon, event)
        WHERE coalesce(j.amount, 0) <> coalesce(u.amount, 0) OR coalesce(j.uses, 0) <> coalesce(u.uses, 0)
        """,
    ),
    Check(
        "coupon_worth",
        "I13",
        f"""
        SELECT coalesce(c.member_id, j.member_id), NULL, NULL, 'money on the coupon ' || coupon,
               coalesce(j.amount::text, 'not granted'), coalesce(c.amount::text, 'no coupon')
        FROM (
            SELECT min(member_id::text)::uuid AS member_id, coupon, sum(amount) AS amount
            FROM ({_CHANGES}) c WHERE what NOT IN ('used', 'restored') GROUP BY coupon
        ) j
        FULL JOIN (
            SELECT member_id, 'cpn_' || replace(id::text, '-', '') AS coupon, coalesce(worth, 0) AS amount
            FROM coupon WHERE event_id IS NOT NULL
        ) c USING (coupon)
        WHERE j.amount IS DISTINCT FROM c.amount
        """,
    ),
)
