"""A ledger with a program and members, and short words for what the tests do to it."""

import datetime as dt
import hashlib
from uuid import UUID

import msgspec
import sqlalchemy as sa

from setia.db.engine import Database, driver_connection
from setia.db.ids import format_id, new_id
from setia.engine.decision import Outcome, PointsEffect
from setia.events.tables import event
from setia.ledger.adjustments import Adjusted, Adjustment, Terms, adjust
from setia.ledger.booking import book
from setia.ledger.entries import MEMBER_ACCOUNTS, JournalEntry, LotKey, Posting, StateRow
from setia.ledger.states import lock_members, open_members
from setia.ledger.verify import Finding, verify
from setia.members.tables import member
from setia.versions.tables import program, program_version

T0 = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def at(minutes: int) -> dt.datetime:
    return T0 + dt.timedelta(minutes=minutes)


def grant(
    amount: int,
    point_type: str = "stars",
    *,
    pending: bool = False,
    lot: bool = True,
    earned_at: dt.datetime = T0,
    expires_at: dt.datetime | None = None,
) -> Posting:
    return Posting(
        point_type=point_type,
        source="issued",
        destination="pending" if pending else "available",
        amount=amount,
        campaign="base",
        opens_lot=lot,
        earned_at=earned_at if lot else None,
        available_at=earned_at if lot and pending else None,
        expires_at=expires_at,
    )


def redeem(amount: int, lot: LotKey | None, point_type: str = "stars") -> Posting:
    return Posting(point_type=point_type, source="available", destination="redeemed", amount=amount, lot=lot)


def effects(postings: tuple[Posting, ...]) -> bytes:
    """The outcome that says what the postings do."""
    points = [
        PointsEffect(p.point_type, -p.amount if p.source in MEMBER_ACCOUNTS else p.amount, p.campaign or "redemption")
        for p in postings
        if not {p.source, p.destination} <= MEMBER_ACCOUNTS
    ]
    return msgspec.json.encode(Outcome(points=points))


class Ledger:
    """One program of a fresh database. Floors of wallets are those of `floors`, else 0."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.floors: dict[str, int | None] = {}
        with database.transaction() as tx:
            self.program_id: int = tx.execute(
                sa.insert(program).values(key="club").returning(program.c.id)
            ).scalar_one()
            tx.execute(
                sa.insert(program_version).values(
                    program_id=self.program_id,
                    number=1,
                    definition="{}",
                    digest=hashlib.sha256(b"{}").digest(),
                    author="test",
                )
            )

    def enrol(self, now: dt.datetime = T0) -> UUID:
        member_id = new_id()
        with self.database.transaction() as tx:
            tx.execute(
                sa.insert(member).values(id=member_id, program_id=self.program_id, enrolled_at=now, status="active")
            )
            open_members(driver_connection(tx), [(member_id, self.program_id, now)])
        return member_id

    def post(self, member_id: UUID, *postings: Posting, now: dt.datetime = T0, counters: bytes = b"{}") -> int:
        """Book an event with these postings; give the entry's number.

        What is redeemed or held is booked by hand: an event does so only for a redemption, and here are none.
        """
        by_hand = any({"redeemed", "held"} & {posting.source, posting.destination} for posting in postings)
        with self.database.transaction() as tx:
            connection = driver_connection(tx)
            locked = lock_members(connection, [member_id])[member_id]
            entry_id = new_id()
            if not by_hand:
                self._store_event(tx, entry_id, member_id, now)
            opens = {
                p.point_type: self.floors.get(p.point_type, 0) for p in postings if p.point_type not in locked.balances
            }
            entry = JournalEntry(
                member_id=member_id,
                seq=locked.seq + 1,
                id=entry_id,
                program_id=self.program_id,
                program_version=1,
                kind="adjustment" if by_hand else "event",
                occurred_at=now,
                booked_at=locked.moment(now),
                actor="test",
                reason="test" if by_hand else None,
                idempotency_key=entry_id.hex if by_hand else None,
                input_digest=b"test" if by_hand else None,
                outcome=effects(postings),
                postings=postings,
                opens=opens,
            )
            book(connection, [entry], [StateRow(member_id, entry.seq, counters)])
        return entry.seq

    def _store_event(self, tx: sa.Connection, event_id: UUID, member_id: UUID, now: dt.datetime) -> None:
        tx.execute(
            sa.insert(event).values(
                id=event_id,
                member_id=member_id,
                occurred_at=now,
                received_at=now,
                program_id=self.program_id,
                type="purchase",
                status="decided",
                source="test",
                external_id=str(event_id),
                digest=b"",
                body={
                    "id": format_id("evt", event_id),
                    "type": "purchase",
                    "source": "test",
                    "external_id": str(event_id),
                    "occurred_at": now.isoformat(),
                },
            )
        )

    def adjust(
        self,
        member_id: UUID,
        amount: int,
        *,
        key: str | None = None,
        point_type: str = "stars",
        reason: str = "goodwill",
        terms: Terms | None = None,
        expires_at: dt.datetime | None = None,
        now: dt.datetime = T0,
    ) -> Adjusted:
        asked = Adjustment(
            member_id=member_id,
            point_type=point_type,
            amount=amount,
            reason=reason,
            actor="anna",
            idempotency_key=key or new_id().hex,
            expires_at=expires_at,
        )
        return self.database.run(lambda tx: adjust(driver_connection(tx), asked, terms or Terms(), now))

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with self.database.raw_connection() as connection:
            return connection.execute(query, values or None).fetchall()

    def tamper(self, *statements: str) -> None:
        """Change what nothing may change: with the triggers off, as somebody with all rights could."""
        with self.database.raw_connection() as connection:
            connection.execute("SET LOCAL session_replication_role = replica")
            for statement in statements:
                connection.execute(statement)

    def findings(self) -> list[Finding]:
        return verify(self.database).findings
