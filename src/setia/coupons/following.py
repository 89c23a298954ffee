"""What becomes of coupons when a merge is undone: those that came along go back, used or not."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

import psycopg

_LOCK = "SELECT 1 FROM coupon WHERE program_id = %b AND member_id = %b AND id = ANY (%b) ORDER BY id FOR UPDATE"
_BACK = "UPDATE coupon SET member_id = %b WHERE program_id = %b AND member_id = %b AND id = ANY (%b)"


def move_back(
    connection: psycopg.Connection[Any], program_id: int, member: UUID, other: UUID, coupons: Collection[UUID]
) -> None:
    """Give some coupons of a member to another one; both are locked."""
    named = list(coupons)
    connection.execute(_LOCK, (program_id, member, named))
    connection.execute(_BACK, (other, program_id, member, named))
