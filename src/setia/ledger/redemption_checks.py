"""The checks of `verify` that hold redemptions against the points, the stock and the codes they are about."""

from __future__ import annotations

from setia.ledger.check import Check

# What lies in an account by the entries of redemptions, against what the redemptions say they hold or have taken.
_POINTS = """
    SELECT member_id, NULL, NULL, format('%s %s of redemptions', account, point_type),
           coalesce(a.amount, 0)::text, coalesce(b.amount, 0)::text
    FROM (
        SELECT p.member_id, p.point_type, c.account, sum(CASE c.account WHEN p.destination THEN p.amount
                                                         WHEN p.source THEN -p.amount END) AS amount
        FROM posting p
        JOIN journal j ON j.member_id = p.member_id AND j.seq = p.seq AND j.kind IN ('redemption', 'event', 'merge')
        JOIN (VALUES ('held'), ('redeemed')) AS c (account) ON c.account IN (p.source, p.destination)
        GROUP BY p.member_id, p.point_type, c.account
    ) a
    FULL JOIN (
        SELECT r.member_id, t ->> 'points' AS point_type, CASE r.state WHEN 'held' THEN 'held' ELSE 'redeemed' END
               AS account, sum((t ->> 'amount')::bigint) AS amount
        FROM redemption r CROSS JOIN LATERAL json_array_elements(r.parts) t
        WHERE r.state IN ('held', 'confirmed', 'partly') GROUP BY 1, 2, 3
    ) b USING (member_id, point_type, account)
    WHERE coalesce(a.amount, 0) <> coalesce(b.amount, 0)
"""

CHECKS: tuple[Check, ...] = (
    Check("redemption_points", "I6", _POINTS),
    Check(
        "reward_stock",
        "I11",
        """
        SELECT NULL::uuid, NULL, NULL, format('%s of reward %s in program %s', key, reward, program_id),
               coalesce(c.used, 0)::text, coalesce(s.used, 0)::text
        FROM reward_stock s
        FULL JOIN (
            SELECT t.program_id, t.reward, k.key, sum(t.used) AS used
            FROM (
                SELECT r.program_id, r.reward, r.stock_keys,
                       CASE r.state WHEN 'held' THEN r.quantity ELSE r.confirmed END AS used
                FROM redemption r WHERE r.state IN ('held', 'confirmed', 'partly')
                UNION ALL
                SELECT l.program_id, l.reward, l.stock_keys, 1 FROM reward_link l WHERE l.chosen_at IS NOT NULL
            ) t CROSS JOIN LATERAL unnest(t.stock_keys) AS k (key) GROUP BY t.program_id, t.reward, k.key
        ) c USING (program_id, reward, key)
        WHERE coalesce(c.used, 0) <> coalesce(s.used, 0)
        """,
    ),
    Check(
        "raffle_tickets",
        "I11",
        """
        SELECT NULL::uuid, NULL, NULL, 'tickets of the draw ' || coalesce(d.id, r.draw_id),
               coalesce(r.tickets, 0)::text, coalesce(d.tickets, 0)::text
        FROM raffle_draw d
        FULL JOIN (
            SELECT draw_id, sum(confirmed) AS tickets FROM redemption
            WHERE draw_id IS NOT NULL AND state IN ('confirmed', 'partly') GROUP BY draw_id
        ) r ON r.draw_id = d.id
        WHERE coalesce(d.tickets, 0) <> coalesce(r.tickets, 0)
        """,
    ),
    # A partner that delivered may have been paid all the same; one that did not must not have been.
    Check(
        "partner_deliveries",
        "I11",
        """
        SELECT r.member_id, NULL, NULL, 'the redemption of the delivery ' || d.id,
               CASE d.state WHEN 'waiting' THEN 'confirmed' WHEN 'delivered' THEN 'confirmed' ELSE 'refunded' END,
               r.state
        FROM partner_delivery d JOIN redemption r ON r.id = d.redemption_id
        WHERE r.state NOT IN ('confirmed', 'partly', 'refunded')
           OR d.state = 'waiting' AND r.state = 'refunded'
           OR d.state NOT IN ('waiting', 'delivered') AND r.state <> 'refunded'
        """,
    ),
    Check(
        "code_pools",
        "I11",
        """
        SELECT NULL::uuid, NULL, NULL, format('codes of the pool %s in program %s', pool, program_id),
               coalesce(c.codes, 0)::text, coalesce(p.codes, 0)::text
        FROM code_pool p
        FULL JOIN (
            SELECT program_id, pool, count(*) AS codes FROM reward_code WHERE pool IS NOT NULL GROUP BY program_id, pool
        ) c USING (program_id, pool)
        WHERE coalesce(c.codes, 0) <> coalesce(p.codes, 0)
        """,
    ),
    Check(
        "code_uses",
        "I11",
        """
        SELECT r.member_id, NULL, NULL, 'uses of the code ' || c.id || ', and what they took',
               format('%s, %s', coalesce(u.uses, 0), coalesce(u.spent, 0)), format('%s, %s', c.used, c.spent)
        FROM reward_code c
        LEFT JOIN redemption r ON r.id = c.redemption_id
        LEFT JOIN (
            SELECT code_id, count(*) AS uses, sum(amount) AS spent FROM code_use WHERE released_at IS NULL GROUP BY 1
        ) u ON u.code_id = c.id
        WHERE c.used <> coalesce(u.uses, 0) OR c.worth IS NOT NULL AND c.spent <> coalesce(u.spent, 0)
           OR c.used > c.uses OR c.spent > c.worth
           OR c.redemption_id IS NOT NULL AND c.used > 0 AND r.state NOT IN ('confirmed', 'partly')
        """,
    ),
)
