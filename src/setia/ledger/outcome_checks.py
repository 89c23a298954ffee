"""The checks of `verify` that hold the postings of an entry against what its outcome says."""

from __future__ import annotations

from setia.ledger.check import Check

# What pays a debt (`setia.ledger.debts`) is no effect: the debt comes back without a lot, and lots of the same entry
# pay it. So both sides are equal, and no more than what was owed before the entry and is taken in it out of no lot.
_DEBTS = """
    SELECT p.member_id, p.seq, p.point_type,
           sum(CASE WHEN p.source = 'adjusted' AND p.lot_seq IS NULL THEN p.amount ELSE 0 END) AS forgiven,
           sum(CASE WHEN p.destination = 'adjusted' AND p.lot_seq IS NOT NULL THEN p.amount ELSE 0 END) AS paid,
           sum(p.amount) AS moved
    FROM posting p WHERE p.campaign = 'debt' GROUP BY p.member_id, p.seq, p.point_type
"""

# What moves between the member and an account of the program: by campaign, each direction for itself, so that postings
# which cancel each other are seen. What acts move may go to any account; what a return takes back may have been the
# order's own (`issued`) or other points (`adjusted`).
# What ends is said as a whole, and posted by the campaigns of its lots. What was done to lots that were there is said
# lot by lot: an extended one leaves and comes back with another end.
_ACTS = "'redemption', 'transfer', 'exchange', 'merge', 'sale', 'household'"
_NAMELESS = f"CASE WHEN j.kind IN ({_ACTS}) THEN j.kind ELSE 'redemption' END"
_UNDOES = "j.outcome::jsonb ? 'undoes'"
_MOVED = f"""
    SELECT j.member_id, j.seq, e ->> 'points' AS point_type, n.campaign,
           CASE WHEN j.kind = 'expiry' THEN 'expired'
                WHEN n.campaign IN ('redemption', 'refund_grace') OR j.kind IN ({_ACTS}) THEN 'any account'
                WHEN n.amount < 0 AND {_UNDOES} THEN 'taken back'
                WHEN n.amount < 0 OR j.kind = 'adjustment' AND n.campaign = 'adjustment' THEN 'adjusted'
                ELSE 'issued' END AS account,
           n.amount > 0 AS comes, abs(n.amount) AS said, 0 AS posted
    FROM journal j CROSS JOIN LATERAL jsonb_path_query(j.outcome::jsonb, '$.points[*]') e
    CROSS JOIN LATERAL (
        SELECT CASE jsonb_typeof(e -> 'amount') WHEN 'number' THEN (e -> 'amount')::numeric ELSE 0 END AS amount,
               coalesce(e ->> 'campaign', {_NAMELESS}) AS campaign
    ) n
    UNION ALL
    SELECT j.member_id, j.seq, m ->> 'points', m ->> 'campaign', w.account, w.comes,
           CASE jsonb_typeof(m -> 'amount') WHEN 'number' THEN (m -> 'amount')::numeric ELSE 0 END, 0
    FROM journal j CROSS JOIN LATERAL jsonb_path_query(j.outcome::jsonb, '$.moves[*]') m
    JOIN (
        VALUES ('cancelled', 'issued', false), ('expired', 'expired', false), ('extended', 'adjusted', false),
               ('extended', 'adjusted', true), ('kept', 'adjusted', false), ('kept', 'adjusted', true),
               ('voided', 'adjusted', false)
    ) AS w (what, account, comes) ON w.what = m ->> 'what'
    UNION ALL
    SELECT p.member_id, p.seq, p.point_type, n.campaign,
           CASE WHEN j.kind IS DISTINCT FROM 'expiry'
                     AND (n.campaign IN ('redemption', 'refund_grace') OR j.kind IN ({_ACTS})) THEN 'any account'
                WHEN NOT n.comes AND {_UNDOES} THEN 'taken back'
                WHEN n.comes THEN p.source ELSE p.destination END,
           n.comes, 0, p.amount
    FROM posting p LEFT JOIN journal j ON j.member_id = p.member_id AND j.seq = p.seq
    CROSS JOIN LATERAL (
        SELECT CASE WHEN j.kind = 'expiry' THEN 'expiry' ELSE coalesce(p.campaign, {_NAMELESS}) END AS campaign,
               p.destination IN ('pending', 'available', 'held') AS comes
    ) n
    WHERE NOT (n.comes AND p.source IN ('pending', 'available', 'held'))
      AND p.campaign IS DISTINCT FROM 'debt'
"""

# Every change of a level begins where the one before it ended. Where a member had none before it, only the program
# knows the first level.
_LEVELS = """
    SELECT j.member_id, j.seq, c.change ->> 'tier_set' AS tier_set, c.change ->> 'before' AS before,
           lag(c.change ->> 'after') OVER (
               PARTITION BY j.member_id, c.change ->> 'tier_set' ORDER BY j.seq, c.number
           ) AS held
    FROM journal j
    CROSS JOIN LATERAL jsonb_path_query(j.outcome::jsonb, '$.tiers[*]') WITH ORDINALITY AS c (change, number)
"""

CHECKS: tuple[Check, ...] = (
    Check(
        "level_chain",
        "I12",
        f"""
        SELECT l.member_id, l.seq, NULL, 'level held in ' || coalesce(l.tier_set, '?') || ' before it changed', l.held,
               coalesce(l.before, 'none')
        FROM ({_LEVELS}) l WHERE l.held IS NOT NULL AND l.held IS DISTINCT FROM l.before
        """,
    ),
    Check(
        "level_moves_points",
        "I13",
        """
        SELECT p.member_id, p.seq, p.line, 'postings of an entry that only judges or gives a level', 'none',
               format('%s %s from %s to %s', p.amount, p.point_type, p.source, p.destination)
        FROM posting p JOIN journal j ON j.member_id = p.member_id AND j.seq = p.seq
        WHERE j.kind IN ('review', 'level', 'freeze')
        """,
    ),
    Check(
        "outcome_mismatch",
        "I2",
        f"""
        SELECT s.member_id, s.seq, NULL, 'outcome and postings of ' || coalesce(s.point_type, '?'),
               string_agg(format('%s%s %s by %s', CASE WHEN s.comes THEN '+' ELSE '-' END, s.said, s.account,
                                 coalesce(s.campaign, '?')), ', ' ORDER BY s.account, s.campaign, s.comes),
               string_agg(format('%s%s %s by %s', CASE WHEN s.comes THEN '+' ELSE '-' END, s.posted, s.account,
                                 coalesce(s.campaign, '?')), ', ' ORDER BY s.account, s.campaign, s.comes)
        FROM (
            SELECT m.member_id, m.seq, m.point_type, m.campaign, m.account, m.comes, sum(m.said) AS said,
                   sum(m.posted) AS posted
            FROM ({_MOVED}) m
            GROUP BY m.member_id, m.seq, m.point_type, m.campaign, m.account, m.comes
            HAVING sum(m.said) <> sum(m.posted)
        ) s
        GROUP BY s.member_id, s.seq, s.point_type
        """,
    ),
    Check(
        "debt_paid",
        "I2",
        f"""
        SELECT d.member_id, d.seq, NULL, 'debt of ' || d.point_type || ' that is paid',
               format('as much paid by lots as given back, at most %s', o.owed),
               format('%s given back, %s paid by lots', d.forgiven, d.paid)
        FROM ({_DEBTS}) d
        CROSS JOIN LATERAL (
            SELECT greatest(0, sum(CASE WHEN p.seq = d.seq THEN 0 WHEN p.source = 'available' THEN p.amount
                                        WHEN p.destination = 'available' THEN -p.amount END))
                     + sum(CASE WHEN p.seq = d.seq AND p.source = 'available' AND p.lot_seq IS NULL
                                THEN p.amount ELSE 0 END) AS owed
            FROM posting p WHERE p.member_id = d.member_id AND p.point_type = d.point_type AND p.seq <= d.seq
        ) o
        WHERE d.forgiven <> d.paid OR d.moved <> d.forgiven + d.paid OR d.forgiven > o.owed
        """,
    ),
    Check(
        "lot_campaign",
        "I2",
        """
        SELECT p.member_id, p.seq, p.line, 'campaign of what a lot of ' || p.point_type || ' gives',
               coalesce(g.campaign, 'none'), coalesce(p.campaign, 'none')
        FROM journal j
        JOIN posting p ON p.member_id = j.member_id AND p.seq = j.seq
        JOIN posting g ON g.member_id = p.member_id AND g.seq = p.lot_seq AND g.line = p.lot_line
        WHERE j.kind IN ('expiry', 'release') AND g.campaign IS DISTINCT FROM p.campaign
          AND p.campaign IS DISTINCT FROM 'debt'
        """,
    ),
)
