"""The checks of `verify` that count gift cards and their uses again from their entries, and what links handed out."""

from __future__ import annotations

from setia.ledger.check import Check

CHECKS: tuple[Check, ...] = (
    Check(
        "gift_card_gap",
        "I3",
        """
        SELECT NULL::uuid, NULL, NULL, 'the entries of the gift card ' || c.id, format('1 to %s', c.seq),
               format('%s, %s to %s', count(e.seq), coalesce(min(e.seq), 0), coalesce(max(e.seq), 0))
        FROM gift_card c LEFT JOIN gift_card_entry e ON e.card_id = c.id
        GROUP BY c.id HAVING count(e.seq) <> c.seq OR min(e.seq) IS DISTINCT FROM 1 OR max(e.seq) IS DISTINCT FROM c.seq
        """,
    ),
    Check(
        "gift_card_balance",
        "I4",
        """
        SELECT NULL::uuid, NULL, NULL, 'the gift card ' || c.id,
               format('balance %s, held %s', coalesce(s.balance, 0), coalesce(s.held, 0)),
               format('balance %s, held %s', c.balance, c.held)
        FROM gift_card c
        LEFT JOIN (
            SELECT e.card_id,
                   sum(CASE 'available' WHEN e.destination THEN e.amount WHEN e.source THEN -e.amount ELSE 0 END)
                   AS balance,
                   sum(CASE 'held' WHEN e.destination THEN e.amount WHEN e.source THEN -e.amount ELSE 0 END) AS held
            FROM gift_card_entry e GROUP BY e.card_id
        ) s ON s.card_id = c.id
        WHERE (c.balance, c.held) IS DISTINCT FROM (coalesce(s.balance, 0), coalesce(s.held, 0))
           OR c.balance < 0 OR c.held < 0
        """,
    ),
    Check(
        "gift_card_state",
        "I4",
        """
        SELECT NULL::uuid, NULL, NULL, 'end, member and block of the gift card ' || c.id,
               format('%s, %s, %s', coalesce(e.expires_at::text, 'never'), coalesce(e.member_id::text, 'nobody'),
                      e.blocked),
               format('%s, %s, %s', coalesce(c.expires_at::text, 'never'), coalesce(c.member_id::text, 'nobody'),
                      c.blocked)
        FROM gift_card c JOIN gift_card_entry e ON e.card_id = c.id AND e.seq = c.seq
        WHERE (c.expires_at, c.member_id, c.blocked, c.program_id)
              IS DISTINCT FROM (e.expires_at, e.member_id, e.blocked, e.program_id)
        """,
    ),
    Check(
        "gift_card_use",
        "I6",
        """
        SELECT NULL::uuid, NULL, NULL, 'the use ' || u.id || ' of the gift card ' || u.card_id,
               format('held %s, captured %s, refunded %s', coalesce(s.held, 0), coalesce(s.captured, 0),
                      coalesce(s.refunded, 0)),
               format('held %s, captured %s, refunded %s', u.held, u.captured, u.refunded)
        FROM gift_card_use u
        LEFT JOIN (
            SELECT e.use_id, e.card_id,
                   sum(CASE 'held' WHEN e.destination THEN e.amount WHEN e.source THEN -e.amount ELSE 0 END) AS held,
                   sum(CASE WHEN e.destination = 'redeemed' THEN e.amount ELSE 0 END) AS captured,
                   sum(CASE WHEN e.source = 'redeemed' THEN e.amount ELSE 0 END) AS refunded
            FROM gift_card_entry e WHERE e.use_id IS NOT NULL GROUP BY e.use_id, e.card_id
        ) s ON s.use_id = u.id AND s.card_id = u.card_id
        WHERE (u.held, u.captured, u.refunded)
              IS DISTINCT FROM (coalesce(s.held, 0), coalesce(s.captured, 0), coalesce(s.refunded, 0))
           OR u.refunded > u.captured OR u.held + u.captured > u.amount
        """,
    ),
    Check(
        "gift_card_transfer",
        "I2",
        """
        SELECT NULL::uuid, NULL, NULL, 'money moved between the gift cards ' || least(e.card_id, e.other_card_id)
               || ' and ' || greatest(e.card_id, e.other_card_id), '0',
               sum(CASE e.destination WHEN 'transferred' THEN e.amount ELSE -e.amount END)::text
        FROM gift_card_entry e WHERE 'transferred' IN (e.source, e.destination)
        GROUP BY least(e.card_id, e.other_card_id), greatest(e.card_id, e.other_card_id)
        HAVING sum(CASE e.destination WHEN 'transferred' THEN e.amount ELSE -e.amount END) <> 0
        """,
    ),
    Check(
        "reward_link",
        "I11",
        """
        SELECT l.member_id, NULL, NULL, 'what the reward link ' || l.id || ' has handed out',
               CASE WHEN l.chosen_at IS NULL THEN 'nothing'
                    WHEN l.card_id IS NOT NULL THEN format('%s on a card, no code', l.amount)
                    WHEN l.fulfilment IS NULL THEN 'one code' ELSE 'what is delivered' END,
               format('%s on a card, %s codes', coalesce(e.amount, 0), coalesce(c.codes, 0))
        FROM reward_link l
        LEFT JOIN gift_card_entry e ON e.card_id = l.card_id AND e.kind = 'issued'
        LEFT JOIN (
            SELECT link_id, count(*) AS codes FROM reward_code WHERE link_id IS NOT NULL GROUP BY link_id
        ) c ON c.link_id = l.id
        WHERE CASE WHEN l.chosen_at IS NULL THEN l.card_id IS NOT NULL OR c.codes IS NOT NULL
                   WHEN l.card_id IS NOT NULL THEN e.amount IS DISTINCT FROM l.amount OR c.codes IS NOT NULL
                   WHEN l.fulfilment IS NULL THEN c.codes IS DISTINCT FROM 1
                   ELSE c.codes IS NOT NULL END
        """,
    ),
    Check(
        "gift_card_order",
        "I13",
        """
        SELECT j.member_id, j.seq, NULL, 'what the gift card ' || u.card_id || ' has paid for this order',
               coalesce(p.value ->> 'amount', 'nothing'), u.amount::text
        FROM gift_card_use u
        LEFT JOIN journal j ON j.id = u.event_id AND j.program_id = u.program_id
        LEFT JOIN LATERAL jsonb_array_elements(j.outcome::jsonb -> 'payment' -> 'cards') p
               ON p.value ->> 'use' = 'gcu_' || replace(u.id::text, '-', '')
        WHERE u.event_id IS NOT NULL AND (p.value ->> 'amount')::bigint IS DISTINCT FROM u.amount
        """,
    ),
    Check(
        "gift_card_reward",
        "I11",
        """
        SELECT r.member_id, NULL, NULL, 'what the redemption ' || e.redemption_id || ' has put on gift cards',
               CASE WHEN r.state IN ('confirmed', 'partly') THEN 'something' ELSE '0' END, e.given::text
        FROM (
            SELECT redemption_id, sum(CASE source WHEN 'granted' THEN amount ELSE -amount END) AS given
            FROM gift_card_entry WHERE redemption_id IS NOT NULL AND amount IS NOT NULL GROUP BY redemption_id
        ) e
        LEFT JOIN redemption r ON r.id = e.redemption_id
        WHERE (e.given > 0) IS DISTINCT FROM (r.state IN ('confirmed', 'partly')) OR e.given < 0
        """,
    ),
)
