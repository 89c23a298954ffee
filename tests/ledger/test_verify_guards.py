"""What guards the tables is missed when it is gone, asleep, or something else of the same name."""

import pytest

from ledger.world import Ledger
from setia.ledger.guard_checks import CATALOGUE
from setia.ledger.guards import GUARDS, TABLES, Guard


def test_the_list_is_what_the_migrations_make(ledger: Ledger) -> None:
    tables = ", ".join(f"'{table}'" for table in TABLES)
    found = ledger.rows(
        f"SELECT c.sort, coalesce(c.relation::regclass::text, ''), c.name, c.shape FROM ({CATALOGUE}) c "
        f"WHERE c.relation IS NULL OR c.relation = ANY (ARRAY[{tables}]::regclass[])"
    )
    constraints = {name for sort, _, name, _ in found if sort == "constraint"}
    there = {
        Guard(*map(str, row))
        for row in found
        if row[0] != "index" or (row[2] not in constraints and str(row[3]).startswith("unique"))
    }

    lines = [f"    {guard}," for guard in sorted(there - set(GUARDS))]
    assert there == set(GUARDS), "setia/ledger/guards.py lacks:\n" + "\n".join(lines)
    assert len(GUARDS) == len(set(GUARDS))


EMPTY = "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"
CASES = {
    "events may be changed": (
        "ALTER TABLE event DISABLE TRIGGER event_append_only",
        ("guard_missing", "trigger event_append_only on event", "enabled", "disabled"),
    ),
    "a version's trigger is gone": (
        "DROP TRIGGER append_only ON program_version",
        ("guard_missing", "trigger append_only on program_version", "enabled", "missing"),
    ),
    "a trigger fires for replication alone": (
        "ALTER TABLE journal ENABLE REPLICA TRIGGER append_only",
        ("guard_missing", "trigger append_only on journal", "enabled", "disabled"),
    ),
    "a trigger is about less": (
        (
            "DROP TRIGGER append_only ON journal; CREATE TRIGGER append_only BEFORE TRUNCATE ON journal "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        ),
        (
            "guard_changed",
            "trigger append_only on journal",
            "calls refuse_change on 58 of ()",
            "calls refuse_change on 34 of ()",
        ),
    ),
    "a floor": (
        "ALTER TABLE wallet DROP CONSTRAINT ck_wallet_floor",
        ("guard_missing", "constraint ck_wallet_floor on wallet", "enabled", "missing"),
    ),
    "a floor that is none": (
        "ALTER TABLE wallet DROP CONSTRAINT ck_wallet_floor, ADD CONSTRAINT ck_wallet_floor CHECK (true)",
        ("guard_changed", "constraint ck_wallet_floor on wallet", "c of (available floor)", "c of ()"),
    ),
    "a constraint that nobody checked": (
        (
            "ALTER TABLE wallet DROP CONSTRAINT ck_wallet_floor, "
            "ADD CONSTRAINT ck_wallet_floor CHECK (floor IS NULL OR available >= floor) NOT VALID"
        ),
        ("guard_missing", "constraint ck_wallet_floor on wallet", "enabled", "disabled"),
    ),
    "a foreign key": (
        "ALTER TABLE member_state DROP CONSTRAINT fk_member_state_program_id_member_id",
        ("guard_missing", "constraint fk_member_state_program_id_member_id on member_state", "enabled", "missing"),
    ),
    "the key of events": (
        "ALTER TABLE event DROP CONSTRAINT uq_event_program_id_source_external_id",
        ("guard_missing", "constraint uq_event_program_id_source_external_id on event", "enabled", "missing"),
    ),
    "a key that is none": (
        (
            "DROP INDEX uq_journal_program_id_idempotency_key; "
            "CREATE INDEX uq_journal_program_id_idempotency_key ON journal (program_id, idempotency_key)"
        ),
        (
            "guard_changed",
            "index uq_journal_program_id_idempotency_key on journal",
            "unique of (idempotency_key program_id) where",
            "index of (idempotency_key program_id)",
        ),
    ),
    "a function that does nothing": (
        f"CREATE OR REPLACE FUNCTION refuse_change() {EMPTY}",
        (
            "guard_changed",
            "function refuse_change",
            "927860cf4a76fbe0f8bc24e0c3685df9",
            "a4fdf9bee8bf0a191d8423c503e36a79",
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_guard_that_is_off_is_found_and_nothing_else(ledger: Ledger, name: str) -> None:
    statement, expected = CASES[name]
    ledger.tamper(statement)

    assert [(f.kind, f.detail, f.expected, f.found) for f in ledger.findings()] == [expected]
