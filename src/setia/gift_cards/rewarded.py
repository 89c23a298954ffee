"""What redemptions of rewards have put on cards."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg

_ISSUED = """
SELECT e.card_id FROM gift_card_entry e
WHERE e.redemption_id = %b AND e.kind = 'issued'
  AND NOT EXISTS (SELECT FROM gift_card_use u WHERE u.card_id = e.card_id)
"""
_GIVEN = """
SELECT e.card_id, sum(CASE e.source WHEN 'granted' THEN e.amount ELSE -e.amount END)::bigint
FROM gift_card_entry e WHERE e.redemption_id = %b AND e.amount IS NOT NULL
GROUP BY e.card_id HAVING sum(CASE e.source WHEN 'granted' THEN e.amount ELSE -e.amount END) > 0 ORDER BY e.card_id
"""


def issued_by(connection: psycopg.Connection[Any], redemption: UUID) -> UUID | None:
    """The card that a redemption issued, if no till has ever taken anything of it."""
    row = connection.execute(_ISSUED, (redemption,), prepare=True).fetchone()
    return None if row is None else row[0]


def given_by(connection: psycopg.Connection[Any], redemption: UUID) -> list[tuple[UUID, int]]:
    """The cards that a redemption has put money on, with how much of it was not taken back."""
    return [(card, amount) for card, amount in connection.execute(_GIVEN, (redemption,), prepare=True)]
