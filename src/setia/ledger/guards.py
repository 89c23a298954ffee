"""What the migrations put on guard: the triggers, functions, constraints and unique indexes that `verify` looks for.

They are written down here and not read from the database, which is what is to be proved. A migration that changes one
changes its line; `tests/ledger/test_verify_guards.py` compares the list with a migrated database and prints the lines.
"""

from __future__ import annotations

from typing import NamedTuple

TABLES = (
    *("journal", "posting", "wallet", "lot", "member_state"),
    *("event", "kept_event", "program_version", "budget"),
    *("gift_card", "gift_card_entry", "gift_card_use"),
)
"""The tables that are guarded."""


class Guard(NamedTuple):
    """One guard: `sort` of thing, the table it is on (none for a function), its name, and what it must be like."""

    sort: str
    relation: str
    name: str
    shape: str


GUARDS: tuple[Guard, ...] = (
    Guard("trigger", "event", "event_append_only", "calls event_append_only on 58 of ()"),
    Guard("trigger", "journal", "append_only", "calls refuse_change on 58 of ()"),
    Guard("trigger", "lot", "guard", "calls ledger_guard_snapshot on 62 of ()"),
    Guard("trigger", "posting", "append_only", "calls refuse_change on 58 of ()"),
    Guard("trigger", "posting", "apply", "calls ledger_apply_postings on 4 of ()"),
    Guard("trigger", "program_version", "append_only", "calls refuse_change on 58 of ()"),
    Guard(
        "trigger",
        "wallet",
        "guard",
        "calls ledger_guard_snapshot on 58 of (available held member_id pending point_type program_id)",
    ),
    Guard("trigger", "wallet", "guard_insert", "calls ledger_guard_snapshot on 7 of () when"),
    Guard("index", "journal", "uq_journal_program_id_idempotency_key", "unique of (idempotency_key program_id) where"),
    Guard("function", "", "event_append_only", "1baeef9a4ce1159ae6e28e3091fece60"),
    Guard(
        "function",
        "",
        "ledger_apply_postings",
        "6cc83cd0900fa2a36871918063a2a2bc as owner enable_hashjoin=off enable_merg"
        "ejoin=off enable_seqscan=off path to pg_temp",
    ),
    Guard("function", "", "ledger_change", "099d0bd2b0242f42d43bd0e4e83cf6ec"),
    Guard("function", "", "ledger_guard_snapshot", "cc919e0dc267f6a965ff5a0c6c16a754"),
    Guard("function", "", "ledger_lot_figure", "cb6bc1d4aac9321d0e611a0f32d34fbb"),
    Guard("function", "", "ledger_rebuild", "97da726a31d8d7fcdd7cc589aca07acd"),
    Guard("function", "", "ledger_taken", "41c17843c337fad1cc3ee307493d1552"),
    Guard("function", "", "refuse_change", "927860cf4a76fbe0f8bc24e0c3685df9"),
    Guard("constraint", "budget", "ck_budget_used", "c of (used)"),
    Guard("constraint", "budget", "pk_budget", "p of (key period program_id)"),
    Guard("constraint", "event", "ck_event_member", "c of (member_id status)"),
    Guard("constraint", "event", "ck_event_status", "c of (status)"),
    Guard("constraint", "event", "pk_event", "p of (id)"),
    Guard("constraint", "event", "uq_event_program_id_source_external_id", "u of (external_id program_id source)"),
    Guard("constraint", "journal", "ck_journal_adjustment", "c of (idempotency_key input_digest kind reason)"),
    Guard("constraint", "journal", "ck_journal_event", "c of (event_id id kind)"),
    Guard("constraint", "journal", "ck_journal_kind", "c of (kind)"),
    Guard("constraint", "journal", "ck_journal_seq", "c of (seq)"),
    Guard("constraint", "journal", "pk_journal", "p of (member_id seq)"),
    Guard("constraint", "journal", "uq_journal_id", "u of (id)"),
    Guard("constraint", "kept_event", "fk_kept_event_event_id_event", "f of (event_id) in event"),
    Guard("constraint", "kept_event", "pk_kept_event", "p of (event_id kind program_id value)"),
    Guard("constraint", "lot", "ck_lot_figures", "c of (burned expired granted reversed)"),
    Guard("constraint", "lot", "ck_lot_remaining", "c of (burned expired granted reversed)"),
    Guard("constraint", "lot", "pk_lot", "p of (line member_id seq)"),
    Guard("constraint", "member_state", "ck_member_state_seq", "c of (seq)"),
    Guard(
        "constraint",
        "member_state",
        "fk_member_state_program_id_member_id",
        "f of (member_id program_id) in member",
    ),
    Guard("constraint", "member_state", "pk_member_state", "p of (member_id)"),
    Guard("constraint", "posting", "ck_posting_accounts", "c of (destination source)"),
    Guard("constraint", "posting", "ck_posting_amount", "c of (amount)"),
    Guard(
        "constraint",
        "posting",
        "ck_posting_grant",
        "c of (available_at destination earned_at expires_at line lot_line lot_seq seq source)",
    ),
    Guard("constraint", "posting", "ck_posting_lot", "c of (line lot_line lot_seq seq)"),
    Guard("constraint", "posting", "pk_posting", "p of (line member_id seq)"),
    Guard("constraint", "program_version", "ck_program_version_digest", "c of (definition digest)"),
    Guard("constraint", "program_version", "ck_program_version_number", "c of (number)"),
    Guard("constraint", "program_version", "fk_program_version_program_id", "f of (program_id) in program"),
    Guard("constraint", "program_version", "pk_program_version", "p of (number program_id)"),
    Guard("constraint", "wallet", "ck_wallet_floor", "c of (available floor)"),
    Guard("constraint", "wallet", "ck_wallet_held", "c of (held)"),
    Guard("constraint", "wallet", "ck_wallet_pending", "c of (pending)"),
    Guard("constraint", "wallet", "pk_wallet", "p of (member_id point_type)"),
    Guard("constraint", "gift_card", "ck_gift_card_balance", "c of (balance held)"),
    Guard("constraint", "gift_card", "ck_gift_card_hash", "c of (hash)"),
    Guard(
        "constraint", "gift_card", "fk_gift_card_program_id_member_id_member", "f of (member_id program_id) in member"
    ),
    Guard("constraint", "gift_card", "fk_gift_card_program_id_program", "f of (program_id) in program"),
    Guard("constraint", "gift_card", "pk_gift_card", "p of (id)"),
    Guard("constraint", "gift_card", "uq_gift_card_program_id_hash", "u of (hash program_id)"),
    Guard("constraint", "gift_card_entry", "ck_gift_card_entry_accounts", "c of (amount destination source)"),
    Guard("constraint", "gift_card_entry", "ck_gift_card_entry_amount", "c of (amount destination source)"),
    Guard("constraint", "gift_card_entry", "ck_gift_card_entry_kind", "c of (kind)"),
    Guard("constraint", "gift_card_entry", "fk_gift_card_entry_card_id_gift_card", "f of (card_id) in gift_card"),
    Guard(
        "constraint",
        "gift_card_entry",
        "fk_gift_card_entry_other_card_id_gift_card",
        "f of (other_card_id) in gift_card",
    ),
    Guard("constraint", "gift_card_entry", "fk_gift_card_entry_program_id_program", "f of (program_id) in program"),
    Guard("constraint", "gift_card_entry", "fk_gift_card_entry_use_id_gift_card_use", "f of (use_id) in gift_card_use"),
    Guard("constraint", "gift_card_entry", "pk_gift_card_entry", "p of (card_id seq)"),
    Guard("constraint", "gift_card_entry", "uq_gift_card_entry_id", "u of (id)"),
    Guard("constraint", "gift_card_use", "ck_gift_card_use_digest", "c of (digest)"),
    Guard("constraint", "gift_card_use", "ck_gift_card_use_figures", "c of (amount captured held refunded)"),
    Guard("constraint", "gift_card_use", "fk_gift_card_use_card_id_gift_card", "f of (card_id) in gift_card"),
    Guard("constraint", "gift_card_use", "fk_gift_card_use_program_id_program", "f of (program_id) in program"),
    Guard("constraint", "gift_card_use", "pk_gift_card_use", "p of (id)"),
    Guard(
        "constraint", "gift_card_use", "uq_gift_card_use_program_id_till_reference", "u of (program_id reference till)"
    ),
    Guard("function", "", "gift_card_apply", "e914e3fd76dbecd98432e2a3cd6e69d1"),
    Guard("function", "", "gift_card_rebuild", "3893037ac5d4a4fd12845b9cba3935be"),
    Guard("function", "", "referral_heed_events", "0fcf5eb1f58f72a20fd0fcefae0da062"),
    Guard("function", "", "referral_heed_merges", "9605c4858485a278fe2dec0841b92789"),
    Guard("function", "", "referral_wake", "472a65b1388f365cdc50b44ccb399582"),
    Guard("trigger", "event", "referral_heed", "calls referral_heed_events on 4 of ()"),
    Guard("trigger", "gift_card", "guard", "calls ledger_guard_snapshot on 58 of ()"),
    Guard("trigger", "gift_card", "guard_insert", "calls ledger_guard_snapshot on 7 of () when"),
    Guard("trigger", "gift_card_entry", "append_only", "calls refuse_change on 58 of ()"),
    Guard("trigger", "gift_card_entry", "apply", "calls gift_card_apply on 5 of ()"),
    Guard("trigger", "gift_card_use", "guard", "calls ledger_guard_snapshot on 58 of ()"),
    Guard("trigger", "gift_card_use", "guard_insert", "calls ledger_guard_snapshot on 7 of () when"),
)
