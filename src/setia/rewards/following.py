"""What becomes of redemptions when their member is merged into another one, or parted from it again.

A redemption follows its member with its points: the ledger has moved those to lots of the other member, and the
redemption names these from then on. So it is confirmed, refunded and used as if it had always been there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.ledger.entries import Account
from setia.rewards.redemption import Redemption, Taken, all_of

_FOLLOW = "UPDATE redemption SET member_id = %b, seq = %b, parts = %b::json WHERE id = %b"
_encode = msgspec.json.Encoder().encode


def redemptions_of(
    connection: psycopg.Connection[Any], member: UUID, only: Collection[UUID] | None = None
) -> list[Redemption]:
    """A locked member's redemptions, or those of them that are named, in the order of their ids."""
    if only is None:
        return all_of(connection, "member_id = %b ORDER BY id", (member,))
    return all_of(connection, "member_id = %b AND id = ANY (%b) ORDER BY id", (member, list(only)))


def account_of(row: Redemption) -> Account | None:
    """Where the points of a redemption lie; None where they are the member's own again."""
    if row.state == "held":
        return "held"
    return "redeemed" if row.state in {"confirmed", "partly"} else None


def follow(
    connection: psycopg.Connection[Any],
    rows: Sequence[Redemption],
    member: UUID,
    seq: int,
    lot_of: Callable[[Taken], tuple[int, int] | None],
) -> None:
    """Let redemptions be another member's: `seq` is the entry that moved their points, `lot_of` the lots of a part."""
    for row in rows:
        parts = [msgspec.structs.replace(part, lot=lot_of(part)) for part in row.parts]
        connection.execute(_FOLLOW, (member, seq, _encode(parts).decode(), row.id))
