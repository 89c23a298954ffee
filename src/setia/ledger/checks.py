"""The checks of `verify`, as SQL: each query gives the rows that break one rule, and none when all is well.

They count everything from `journal`, `posting` and `event`, and share no code with the triggers: a fault in a trigger
must not prove itself right.
"""

from __future__ import annotations

from setia.ledger import (
    coupon_checks,
    gift_card_checks,
    guard_checks,
    household_checks,
    moving_checks,
    origin_checks,
    outcome_checks,
    redemption_checks,
    referral_checks,
    review_checks,
    sale_checks,
)
from setia.ledger.check import Check

__all__ = ["CHECKS", "Check"]


# What a posting changes in the buckets of a wallet.
_BUCKETS = """
    sum(CASE WHEN p.destination = 'available' THEN p.amount ELSE 0 END)
      - sum(CASE WHEN p.source = 'available' THEN p.amount ELSE 0 END) AS available,
    sum(CASE WHEN p.destination = 'pending' THEN p.amount ELSE 0 END)
      - sum(CASE WHEN p.source = 'pending' THEN p.amount ELSE 0 END) AS pending,
    sum(CASE WHEN p.destination = 'held' THEN p.amount ELSE 0 END)
      - sum(CASE WHEN p.source = 'held' THEN p.amount ELSE 0 END) AS held
"""

# Lots as the postings tell them.
_LOTS = """
    SELECT g.*, coalesce(t.burned, 0) AS burned, coalesce(t.expired, 0) AS expired, coalesce(t.reversed, 0) AS reversed,
           g.destination = 'pending' AND NOT coalesce(t.released, false) AS still_pending
    FROM posting g
    LEFT JOIN (
        SELECT p.member_id, p.lot_seq, p.lot_line,
               sum(CASE WHEN p.destination IN ('redeemed', 'adjusted', 'transferred', 'held') THEN p.amount ELSE 0 END)
                 - sum(CASE WHEN p.source IN ('redeemed', 'adjusted', 'transferred', 'held') THEN p.amount ELSE 0 END)
                 AS burned,
               sum(CASE WHEN p.destination = 'expired' THEN p.amount
                        WHEN p.source = 'expired' THEN -p.amount ELSE 0 END) AS expired,
               sum(CASE WHEN p.destination = 'issued' THEN p.amount
                        WHEN p.source = 'issued' THEN -p.amount ELSE 0 END) AS reversed,
               bool_or(p.source = 'pending' AND p.destination = 'available') AS released
        FROM posting p
        WHERE p.lot_seq IS NOT NULL AND (p.lot_seq <> p.seq OR p.lot_line <> p.line)
        GROUP BY p.member_id, p.lot_seq, p.lot_line
    ) t ON t.member_id = g.member_id AND t.lot_seq = g.seq AND t.lot_line = g.line
    WHERE g.lot_seq = g.seq AND g.lot_line = g.line
"""

_ACCOUNTS = "'issued', 'redeemed', 'expired', 'adjusted', 'transferred', 'pending', 'available', 'held'"

CHECKS: tuple[Check, ...] = (
    # ------------------------------------------------------------------------------------------------------- postings
    Check(
        "posting_invalid",
        "I1",
        f"""
        SELECT p.member_id, p.seq, p.line, 'amount or accounts of ' || p.point_type, 'an amount between known accounts',
               format('%s from %s to %s', p.amount, p.source, p.destination)
        FROM posting p
        WHERE p.amount <= 0 OR p.amount >= 1000000000000000 OR p.source = p.destination
           OR p.source NOT IN ({_ACCOUNTS}) OR p.destination NOT IN ({_ACCOUNTS})
           OR NOT (p.source IN ('pending', 'available', 'held') OR p.destination IN ('pending', 'available', 'held'))
        """,
    ),
    Check(
        "posting_orphan",
        "I13",
        """
        SELECT p.member_id, p.seq, p.line, 'posting without its journal entry', 'an entry of program ' || p.program_id,
               coalesce('an entry of program ' || j.program_id, 'none')
        FROM posting p LEFT JOIN journal j ON j.member_id = p.member_id AND j.seq = p.seq
        WHERE j.program_id IS DISTINCT FROM p.program_id
        """,
    ),
    Check(
        "line_gap",
        "I3",
        """
        SELECT p.member_id, p.seq, NULL, 'postings are not numbered from 0 without gaps', (max(p.line) + 1)::text,
               count(*)::text
        FROM posting p GROUP BY p.member_id, p.seq HAVING max(p.line) + 1 <> count(*) OR min(p.line) <> 0
        """,
    ),
    *outcome_checks.CHECKS,
    # ------------------------------------------------------------------------------------------------------ snapshots
    Check(
        "wallet_balance",
        "I4",
        f"""
        WITH counted AS (SELECT p.member_id, p.point_type, {_BUCKETS} FROM posting p GROUP BY p.member_id, p.point_type)
        SELECT member_id, NULL, NULL, 'wallet ' || point_type,
               format('available %s, pending %s, held %s', coalesce(c.available, 0), coalesce(c.pending, 0),
                      coalesce(c.held, 0)),
               CASE WHEN w.program_id IS NULL THEN 'no wallet'
                    ELSE format('available %s, pending %s, held %s', w.available, w.pending, w.held) END
        FROM counted c FULL JOIN wallet w USING (member_id, point_type)
        WHERE w.program_id IS NULL
           OR (w.available, w.pending, w.held)
              IS DISTINCT FROM (coalesce(c.available, 0), coalesce(c.pending, 0), coalesce(c.held, 0))
        """,
    ),
    Check(
        "wallet_floor",
        "I5",
        """
        WITH opened AS (
            SELECT DISTINCT ON (j.member_id, o.key) j.member_id, o.key AS point_type, j.program_id,
                   (o.value #>> '{}')::bigint AS floor
            FROM journal j CROSS JOIN LATERAL json_each(j.opens) o
            ORDER BY j.member_id, o.key, j.seq DESC
        )
        SELECT member_id, NULL, NULL, 'floor or program of wallet ' || point_type,
               CASE WHEN o.program_id IS NULL THEN 'an entry that opens it'
                    ELSE format('floor %s, program %s', coalesce(o.floor::text, 'none'), o.program_id) END,
               CASE WHEN w.program_id IS NULL THEN 'no wallet'
                    ELSE format('floor %s, program %s, available %s, pending %s, held %s',
                                coalesce(w.floor::text, 'none'), w.program_id, w.available, w.pending, w.held) END
        FROM opened o FULL JOIN wallet w USING (member_id, point_type)
        WHERE o.program_id IS DISTINCT FROM w.program_id OR o.floor IS DISTINCT FROM w.floor
           OR w.available < w.floor OR w.pending < 0 OR w.held < 0
        """,
    ),
    Check(
        "lot_figures",
        "I7",
        f"""
        SELECT coalesce(c.member_id, l.member_id), coalesce(c.seq, l.seq), coalesce(c.line, l.line),
               'lot of ' || coalesce(c.point_type, l.point_type),
               CASE WHEN c.member_id IS NULL THEN 'a posting that opens it'
                    ELSE format('granted %s, burned %s, expired %s, reversed %s%s', c.amount, c.burned, c.expired,
                                c.reversed, CASE WHEN c.still_pending THEN ', pending' END) END,
               CASE WHEN l.member_id IS NULL THEN 'no lot'
                    ELSE format('granted %s, burned %s, expired %s, reversed %s%s', l.granted, l.burned, l.expired,
                                l.reversed, CASE WHEN l.pending THEN ', pending' END) END
        FROM ({_LOTS}) c
        FULL JOIN lot l ON l.member_id = c.member_id AND l.seq = c.seq AND l.line = c.line
        WHERE (c.amount, c.burned, c.expired, c.reversed, c.still_pending, c.point_type, c.program_id, c.campaign,
               c.available_at, c.expires_at, c.earned_at)
              IS DISTINCT FROM
              (l.granted, l.burned, l.expired, l.reversed, l.pending, l.point_type, l.program_id, l.campaign,
               l.available_at, l.expires_at, l.earned_at)
        """,
    ),
    Check(
        "lot_overdrawn",
        "I9",
        f"""
        SELECT c.member_id, c.seq, c.line,
               'more is taken from the lot of ' || c.point_type || ' than it was, or more given back than taken',
               'between 0 and ' || c.amount,
               format('burned %s, expired %s, reversed %s', c.burned, c.expired, c.reversed)
        FROM ({_LOTS}) c
        WHERE c.burned + c.expired + c.reversed > c.amount OR c.burned < 0 OR c.expired < 0 OR c.reversed < 0
        """,
    ),
    Check(
        "lots_over_balance",
        "I7",
        f"""
        SELECT member_id, NULL, NULL, 'lots of ' || point_type || ' hold more than the member has',
               'at most ' || greatest(w.available, 0), l.open::text
        FROM (
            SELECT c.member_id, c.point_type, sum(c.amount - c.burned - c.expired - c.reversed) AS open
            FROM ({_LOTS}) c WHERE NOT c.still_pending GROUP BY c.member_id, c.point_type
        ) l
        JOIN (SELECT p.member_id, p.point_type, {_BUCKETS} FROM posting p GROUP BY p.member_id, p.point_type) w
             USING (member_id, point_type)
        WHERE l.open > greatest(w.available, 0)
        """,
    ),
    Check(
        "lot_unknown",
        "I7",
        """
        SELECT p.member_id, p.seq, p.line, 'posting of a lot that the member does not have',
               format('a lot of %s opened by %s/%s', p.point_type, p.lot_seq, p.lot_line),
               CASE WHEN g.member_id IS NULL THEN 'none' ELSE 'a posting of ' || g.point_type END
        FROM posting p
        LEFT JOIN posting g ON g.member_id = p.member_id AND g.seq = p.lot_seq AND g.line = p.lot_line
                           AND g.lot_seq = g.seq AND g.lot_line = g.line
        WHERE p.lot_seq IS NOT NULL AND (p.lot_seq <> p.seq OR p.lot_line <> p.line)
          AND (g.point_type, g.program_id) IS DISTINCT FROM (p.point_type, p.program_id)
        """,
    ),
    Check(
        "due_late",
        "I4",
        """
        SELECT l.member_id, NULL, NULL, 'when something of the member is next due', 'not after ' || l.due_at,
               coalesce(s.due_at::text, 'never')
        FROM (
            SELECT o.member_id, min(coalesce(CASE WHEN o.pending THEN o.available_at END, o.expires_at)) AS due_at
            FROM lot o WHERE o.is_open GROUP BY o.member_id
        ) l
        JOIN member_state s ON s.member_id = l.member_id
        WHERE l.due_at IS NOT NULL AND (s.due_at IS NULL OR s.due_at > l.due_at)
        """,
    ),
    # -------------------------------------------------------------------------------------------------------- journal
    Check(
        "sequence_gap",
        "I3",
        """
        SELECT s.member_id, s.seq, NULL, 'entries are missing before this one', (s.before + 1)::text, s.seq::text
        FROM (
            SELECT j.member_id, j.seq, lag(j.seq, 1, 0::bigint) OVER (PARTITION BY j.member_id ORDER BY j.seq) AS before
            FROM journal j
        ) s
        WHERE s.seq <> s.before + 1
        """,
    ),
    Check(
        "time_reversed",
        "I12",
        """
        SELECT s.member_id, s.seq, NULL, 'booked before the entry before it', 'not before ' || s.before,
               s.booked_at::text
        FROM (
            SELECT j.member_id, j.seq, j.booked_at,
                   lag(j.booked_at) OVER (PARTITION BY j.member_id ORDER BY j.seq) AS before
            FROM journal j
        ) s
        WHERE s.booked_at < s.before
        """,
    ),
    Check(
        "state_head",
        "I4",
        """
        WITH head AS (
            SELECT DISTINCT ON (j.member_id) j.member_id, j.seq, j.booked_at, j.program_id
            FROM journal j ORDER BY j.member_id, j.seq DESC
        )
        SELECT member_id, h.seq, NULL, 'the member''s row does not stand at its newest entry',
               CASE WHEN h.seq IS NULL THEN 'entry 0' ELSE format('entry %s, %s', h.seq, h.booked_at) END,
               CASE WHEN s.seq IS NULL THEN 'no row' WHEN h.seq IS NULL THEN 'entry ' || s.seq
                    ELSE format('entry %s, %s', s.seq, s.updated_at) END
        FROM head h FULL JOIN member_state s USING (member_id)
        WHERE s.seq IS DISTINCT FROM coalesce(h.seq, 0)
           OR (h.seq IS NOT NULL AND (s.updated_at, s.program_id) IS DISTINCT FROM (h.booked_at, h.program_id))
        """,
    ),
    Check(
        "entry_twice",
        "I8",
        """
        SELECT min(j.member_id::text)::uuid, NULL, NULL, 'entries with the id ' || j.id, '1', count(*)::text
        FROM journal j GROUP BY j.id HAVING count(*) > 1
        UNION ALL
        SELECT min(j.member_id::text)::uuid, NULL, NULL, 'entries with the key ' || j.idempotency_key, '1',
               count(*)::text
        FROM journal j WHERE j.idempotency_key IS NOT NULL
        GROUP BY j.program_id, j.idempotency_key HAVING count(*) > 1
        """,
    ),
    *origin_checks.CHECKS,
    *redemption_checks.CHECKS,
    *coupon_checks.CHECKS,
    *gift_card_checks.CHECKS,
    *referral_checks.CHECKS,
    *review_checks.CHECKS,
    *sale_checks.CHECKS,
    *household_checks.CHECKS,
    *moving_checks.CHECKS,
    *guard_checks.CHECKS,
)
