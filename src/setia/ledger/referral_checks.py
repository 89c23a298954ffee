"""The checks of `verify` that hold referrals against the events that were booked for them."""

from __future__ import annotations

from setia.ledger.check import Check

# What the entry of an event gave its member, by point type, as the step says it.
_GIVEN = """
    SELECT coalesce(json_object_agg(g.points, g.amount ORDER BY g.points) FILTER (WHERE g.amount <> 0), '{}')::jsonb
    FROM (
        SELECT p ->> 'points' AS points, sum((p ->> 'amount')::bigint)::bigint AS amount
        FROM jsonb_array_elements(coalesce(j.outcome::jsonb -> 'points', '[]')) p GROUP BY 1
    ) g
"""

CHECKS: tuple[Check, ...] = (
    Check(
        "referral_steps",
        "I13",
        f"""
        SELECT coalesce(s.member_id, e.member_id), NULL, NULL,
               format('%s of a referral', coalesce(s.type, e.type)),
               CASE WHEN s.event_id IS NULL THEN 'a referral that made it' ELSE 'its event, and ' || s.points::text END,
               CASE WHEN e.id IS NULL THEN 'none'
                    ELSE format('event evt_%s, and %s', replace(e.id::text, '-', ''), given) END
        FROM referral_step s
        FULL JOIN (
            SELECT e.id, e.member_id, e.type, e.occurred_at, ({_GIVEN}) AS given
            FROM event e LEFT JOIN journal j ON j.id = e.id
            WHERE e.type IN
                ('referral_invited', 'referral_enrolled', 'referral_won', 'referral_accepted', 'referral_joined')
        ) e ON e.id = s.event_id
        WHERE s.event_id IS NULL OR e.id IS NULL
           OR (s.member_id, s.type, s.occurred_at, s.points::jsonb)
              IS DISTINCT FROM (e.member_id, e.type, e.occurred_at, e.given)
        """,
    ),
    Check(
        "referral_won",
        "I13",
        """
        SELECT r.referrer_id, NULL, NULL, 'referral ' || r.id || ', which is ' || r.state,
               CASE r.state WHEN 'won' THEN 'the referrer has won' ELSE 'the referrer has not won' END,
               CASE WHEN s.event_id IS NULL THEN 'not won' ELSE 'won' END
        FROM referral r
        LEFT JOIN referral_step s ON s.referral_id = r.id AND s.type = 'referral_won' AND s.level = 1
        WHERE (r.state = 'won') <> (s.event_id IS NOT NULL)
        """,
    ),
)
