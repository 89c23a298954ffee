"""Booking: journal entries, postings and member states of many members, in as few steps as the database allows.

Four statements travel together (a pipeline), each with one array per column. Measured against COPY: the same at 500
entries, half the time at 32 and below, because COPY needs round trips of its own per table.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg.types.json import Json

from setia.ledger.entries import JournalEntry, StateRow
from setia.ledger.refusals import StaleState, refusals_named

_OPEN = """
INSERT INTO wallet (member_id, point_type, program_id, floor)
SELECT * FROM unnest(%b::uuid[], %b::text[], %b::int[], %b::bigint[]) AS w (member_id, point_type, program_id, floor)
ORDER BY member_id, point_type
ON CONFLICT (member_id, point_type) DO UPDATE SET floor = excluded.floor
"""
_JOURNAL = """
INSERT INTO journal (member_id, seq, id, program_id, program_version, kind, event_id, occurred_at, booked_at, actor,
                     reason, idempotency_key, input_digest, opens, outcome, explanation)
SELECT * FROM unnest(%b::uuid[], %b::bigint[], %b::uuid[], %b::int[], %b::int[], %b::text[], %b::uuid[],
                     %b::timestamptz[], %b::timestamptz[], %b::text[], %b::text[], %b::text[], %b::bytea[], %b::json[],
                     %b::json[], %b::json[])
"""
_POSTINGS = """
INSERT INTO posting (member_id, seq, line, program_id, point_type, source, destination, amount, campaign, lot_seq,
                     lot_line, earned_at, available_at, expires_at)
SELECT * FROM unnest(%b::uuid[], %b::bigint[], %b::smallint[], %b::int[], %b::text[], %b::text[], %b::text[],
                     %b::bigint[], %b::text[], %b::bigint[], %b::smallint[], %b::timestamptz[], %b::timestamptz[],
                     %b::timestamptz[])
"""
# `before`: nobody booked between the reading and the writing of the row. `since`: the member's time does not go back.
_STATES = """
UPDATE member_state m
SET seq = s.seq, tracking = s.tracking, counters = s.counters, updated_at = s.booked_at
FROM unnest(%b::uuid[], %b::bigint[], %b::bigint[], %b::text[], %b::json[], %b::timestamptz[], %b::timestamptz[])
     AS s (member_id, before, seq, tracking, counters, since, booked_at)
WHERE m.member_id = s.member_id AND m.seq = s.before AND m.updated_at <= s.since
"""

_as_they_are: Callable[[Any], bytes] = bytes


def book(connection: psycopg.Connection[Any], entries: Sequence[JournalEntry], states: Sequence[StateRow]) -> None:
    """Book entries of any number of members, in the caller's transaction, and save the members' states.

    The caller holds the locks (`lock_members`), gives each member's entries in order, and one `StateRow` per member,
    with the `seq` of its last entry. Raises `InsufficientPoints` when a wallet or a lot cannot give what is taken, and
    `StaleState` when the entries do not continue their member's journal; the transaction cannot be used after either.
    """
    if not entries:
        return
    spans = _spans(entries)
    saved = [_state(state, spans) for state in states]
    if len(saved) != len(spans):
        raise StaleState(f"{len(spans)} members are booked, {len(saved)} states are saved: there must be one for each")
    opens = {(e.member_id, name): (e.program_id, floor) for e in entries for name, floor in e.opens.items()}
    wallets = [(*wallet, *terms) for wallet, terms in opens.items()]
    postings = _posting_rows(entries)
    with refusals_named(), connection.pipeline():
        if wallets:
            connection.execute(_OPEN, _columns(wallets), prepare=True)
        connection.execute(_JOURNAL, _columns([_journal_row(entry) for entry in entries]), prepare=True)
        if postings:
            connection.execute(_POSTINGS, _columns(postings), prepare=True)
        done = connection.execute(_STATES, _columns(saved), prepare=True)
    if done.rowcount != len(saved):
        raise StaleState(
            f"{len(saved) - done.rowcount} of {len(saved)} members have other entries than their booking follows: "
            "lock and read the members in the same transaction"
        )


class _Span(msgspec.Struct):
    """The entries of one member in a booking."""

    before: int
    last: int
    since: dt.datetime
    until: dt.datetime


def _spans(entries: Sequence[JournalEntry]) -> dict[UUID, _Span]:
    spans: dict[UUID, _Span] = {}
    for entry in entries:
        span = spans.get(entry.member_id)
        if span is None:
            spans[entry.member_id] = _Span(entry.seq - 1, entry.seq, entry.booked_at, entry.booked_at)
        elif entry.seq != span.last + 1 or entry.booked_at < span.until:
            raise StaleState(f"entry {entry.seq} of member {entry.member_id} does not follow its entry {span.last}")
        else:
            span.last, span.until = entry.seq, entry.booked_at
    return spans


def _state(state: StateRow, spans: dict[UUID, _Span]) -> tuple[Any, ...]:
    span = spans.get(state.member_id)
    if span is None or span.last != state.seq:
        raise StaleState(f"the state of member {state.member_id} is not of its last entry in this booking")
    counters = Json(state.counters, _as_they_are)
    return state.member_id, span.before, state.seq, state.tracking, counters, span.since, span.until


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
        Json(msgspec.json.encode(entry.opens), _as_they_are) if entry.opens else None,
        Json(entry.outcome, _as_they_are),
        Json(entry.explanation, _as_they_are),
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


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
