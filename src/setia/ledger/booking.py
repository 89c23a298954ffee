"""Booking: journal entries, postings and member states of many members, in as few steps as the database allows.

Four statements travel together (an exchange), each with one array per column (`setia.db.columns`). Measured against
COPY: less at every size, because COPY needs round trips of its own per table.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
import psycopg

from setia.db.columns import beside, bigints, binaries, documents, integers, moments, smallints, texts, uuids
from setia.db.exchange import Exchange
from setia.ledger.entries import JournalEntry, StateRow
from setia.ledger.refusals import StaleState, refusals_named

_OPEN = """
INSERT INTO wallet (member_id, point_type, program_id, floor)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::bigint[]) AS w (member_id, point_type, program_id, floor)
ORDER BY member_id, point_type
ON CONFLICT (member_id, point_type) DO UPDATE SET floor = excluded.floor
"""
_JOURNAL = """
INSERT INTO journal (member_id, seq, id, program_id, program_version, kind, event_id, occurred_at, booked_at, actor,
                     reason, idempotency_key, input_digest, opens, outcome, explanation)
SELECT unnest($1::uuid[]), unnest($2::bigint[]), unnest($3::uuid[]), unnest($4::int[]), unnest($5::int[]),
       unnest($6::text[]), unnest($7::uuid[]), unnest($8::timestamptz[]), unnest($9::timestamptz[]),
       unnest($10::text[]), unnest($11::text[]), unnest($12::text[]), unnest($13::bytea[]), unnest($14::json[]),
       unnest($15::json[]), unnest($16::json[])
"""
_POSTINGS = """
INSERT INTO posting (member_id, seq, line, program_id, point_type, source, destination, amount, campaign, lot_seq,
                     lot_line, earned_at, available_at, expires_at)
SELECT unnest($1::uuid[]), unnest($2::bigint[]), unnest($3::smallint[]), unnest($4::int[]), unnest($5::text[]),
       unnest($6::text[]), unnest($7::text[]), unnest($8::bigint[]), unnest($9::text[]), unnest($10::bigint[]),
       unnest($11::smallint[]), unnest($12::timestamptz[]), unnest($13::timestamptz[]), unnest($14::timestamptz[])
"""
# `before`: nobody booked between the reading and the writing of the row. `since`: the member's time does not go back.
_STATES = """
UPDATE member_state m
SET seq = s.seq, tracking = s.tracking, counters = s.counters, updated_at = s.booked_at,
    due_at = CASE WHEN s.settled = 1 THEN s.due_at ELSE least(m.due_at, s.due_at) END
FROM (SELECT unnest($1::uuid[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::text[]), unnest($5::json[]),
             unnest($6::timestamptz[]), unnest($7::timestamptz[]), unnest($8::int[]), unnest($9::timestamptz[]))
     AS s (member_id, before, seq, tracking, counters, since, booked_at, settled, due_at)
WHERE m.member_id = s.member_id AND m.seq = s.before AND m.updated_at <= s.since
"""

_Writers: TypeAlias = tuple[Callable[[Any], bytes], ...]

_OPEN_COLUMNS: _Writers = (uuids, texts, integers, bigints)
_JOURNAL_COLUMNS: _Writers = (
    *(uuids, bigints, uuids, integers, integers, texts, uuids, moments, moments),
    *(texts, texts, texts, binaries, documents, documents, documents),
)
_POSTING_COLUMNS: _Writers = (
    *(uuids, bigints, smallints, integers, texts, texts, texts, bigints, texts, bigints, smallints),
    *(moments, moments, moments),
)
_STATE_COLUMNS: _Writers = (uuids, bigints, bigints, texts, documents, moments, moments, integers, moments)


def book(connection: psycopg.Connection[Any], entries: Sequence[JournalEntry], states: Sequence[StateRow]) -> None:
    """Book entries of any number of members, in the caller's transaction, and save the members' states.

    The caller holds the locks (`lock_members`), gives each member's entries in order, and one `StateRow` per member,
    with the `seq` of its last entry. Raises `InsufficientPoints` when a wallet or a lot cannot give what is taken, and
    `StaleState` when the entries do not continue their member's journal; the transaction cannot be used after either.
    """
    exchange = Exchange(connection)
    check = post(exchange, entries, states)
    with refusals_named():
        exchange.send()
    check()


def post(exchange: Exchange, entries: Sequence[JournalEntry], states: Sequence[StateRow]) -> Callable[[], None]:
    """Put what `book` books into an exchange of the caller's; the function returned checks it, when it is over.

    What the database refuses comes out of sending it: `refusals_named` around that turns it into problems.
    """
    if not entries:
        return lambda: None
    spans = _spans(entries)
    saved = [_state(state, spans) for state in states]
    if len(saved) != len(spans):
        raise StaleState(f"{len(spans)} members are booked, {len(saved)} states are saved: there must be one for each")
    opens = {(e.member_id, name): (e.program_id, floor) for e in entries for name, floor in e.opens.items()}
    wallets = [(*wallet, *terms) for wallet, terms in opens.items()]
    postings = _posting_rows(entries)
    if wallets:
        exchange.ask(_OPEN, *_arrays(wallets, _OPEN_COLUMNS))
    journal = [_journal_row(entry) for entry in entries]
    exchange.ask(_JOURNAL, *_arrays(journal, _JOURNAL_COLUMNS))
    if postings:
        exchange.ask(_POSTINGS, *_arrays(postings, _POSTING_COLUMNS))
    done = exchange.ask(_STATES, *_arrays(saved, _STATE_COLUMNS))

    def check() -> None:
        if done.rowcount != len(saved):
            raise StaleState(
                f"{len(saved) - done.rowcount} of {len(saved)} members have other entries than their booking follows: "
                "lock and read the members in the same transaction"
            )

    return check


class _Span(msgspec.Struct):
    """The entries of one member in a booking."""

    before: int
    last: int
    since: dt.datetime
    until: dt.datetime
    due_at: dt.datetime | None = None
    """When the first of the lots that are opened becomes available or ends."""


def _spans(entries: Sequence[JournalEntry]) -> dict[UUID, _Span]:
    spans: dict[UUID, _Span] = {}
    member, span = None, None
    for entry in entries:
        if entry.member_id is not member:
            member = entry.member_id
            span = spans.get(member)
        if span is None:
            span = spans[member] = _Span(entry.seq - 1, entry.seq, entry.booked_at, entry.booked_at)
        elif entry.seq != span.last + 1 or entry.booked_at < span.until:
            raise StaleState(f"entry {entry.seq} of member {entry.member_id} does not follow its entry {span.last}")
        else:
            span.last, span.until = entry.seq, entry.booked_at
        for posting in entry.postings:
            if posting.opens_lot:
                # A pending lot is released before it ends; one without a moment of release ends while it waits.
                released_at = posting.available_at if posting.destination == "pending" else None
                span.due_at = earlier(span.due_at, released_at or posting.expires_at)
    return spans


def earlier(one: dt.datetime | None, other: dt.datetime | None) -> dt.datetime | None:
    """The earlier of two moments, where None is never."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _state(state: StateRow, spans: dict[UUID, _Span]) -> tuple[Any, ...]:
    span = spans.get(state.member_id)
    if span is None or span.last != state.seq:
        raise StaleState(f"the state of member {state.member_id} is not of its last entry in this booking")
    due_at = earlier(state.due_at, span.due_at)
    return (
        *(state.member_id, span.before, state.seq, state.tracking, state.counters, span.since, span.until),
        *(int(state.settled), due_at),
    )


def _journal_row(entry: JournalEntry) -> tuple[Any, ...]:
    return (
        entry.member_id,
        entry.seq,
        entry.id,
        entry.program_id,
        entry.program_version,
        entry.kind,
        entry.id if entry.kind == "event" else None,
        entry.occurred_at,
        entry.booked_at,
        entry.actor,
        entry.reason,
        entry.idempotency_key,
        entry.input_digest,
        msgspec.json.encode(entry.opens) if entry.opens else None,
        entry.outcome,
        entry.explanation,
    )


def _posting_rows(entries: Sequence[JournalEntry]) -> list[tuple[Any, ...]]:
    rows = []
    for entry in entries:
        for line, posting in enumerate(entry.postings):
            lot = (entry.seq, line) if posting.opens_lot else posting.lot or (None, None)
            rows.append(
                (
                    entry.member_id,
                    entry.seq,
                    line,
                    entry.program_id,
                    posting.point_type,
                    posting.source,
                    posting.destination,
                    posting.amount,
                    posting.campaign,
                    *lot,
                    posting.earned_at,
                    posting.available_at,
                    posting.expires_at,
                )
            )
    return rows


def _arrays(rows: Sequence[tuple[Any, ...]], writers: _Writers) -> list[bytes]:
    columns = zip(*rows, strict=True)
    return [beside(write, column) for write, column in zip(writers, columns, strict=True)]
