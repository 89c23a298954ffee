"""`setia verify` as a whole: the ledger's proof, and that counters and budgets are what the journal says."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import msgspec

from setia.db.engine import Database, driver_connection
from setia.engine.compiled import CompiledProgram, compile_program
from setia.events.budget_check import check_budgets
from setia.events.rebuild import DUE_AT, rebuild_states
from setia.ledger.verify import MOST_FINDINGS, Finding, Report
from setia.ledger.verify import verify as verify_ledger
from setia.program.definition import Program

_LIVE = """
SELECT p.id, p.live_version FROM program p
WHERE EXISTS (SELECT FROM program_version v WHERE v.program_id = p.id AND v.number = p.live_version) ORDER BY p.id
"""
# The canonical text of a definition spells every limit over all members so.
_WITH_BUDGETS = """
SELECT program_id, number, definition FROM program_version WHERE strpos(definition, '"in_all"') > 0 ORDER BY 1, 2
"""
_DUE_LATE = "due_late"
_DEFINITION = "SELECT definition FROM program_version WHERE program_id = %s AND number = %s"


def verify(database: Database, *, most_findings: int = MOST_FINDINGS) -> Report:
    """Check the ledger, then budgets and counters, which only the programs understand. It changes nothing.

    Each part sees one moment of the database, the counters one moment for some members at a time; so it is right while
    events are booked.
    """
    started = time.monotonic()
    report = verify_ledger(database, most_findings=most_findings)
    found: list[Finding] = []
    truncated: list[str] = []
    # That lots end before anybody looks the ledger has found by itself.
    known = {finding.member_id for finding in report.findings if finding.kind == _DUE_LATE}
    counters = [
        finding
        for finding in _counters(database, most_findings + 1)
        if finding.kind != _DUE_LATE or finding.member_id not in known
    ]
    for findings in (_budgets(database), counters):
        found += findings[:most_findings]
        truncated += [finding.kind for finding in findings[most_findings : most_findings + 1]]
    return msgspec.structs.replace(
        report,
        findings=[*report.findings, *found],
        truncated=[*report.truncated, *truncated],
        seconds=f"{time.monotonic() - started:.2f}",
    )


def _budgets(database: Database) -> list[Finding]:
    findings: list[Finding] = []
    programs: dict[tuple[int, int], CompiledProgram] = {}
    with database.transaction("REPEATABLE READ") as tx:
        tx.exec_driver_sql("SET TRANSACTION READ ONLY")
        tx.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection = driver_connection(tx)
        for program_id, number, definition in connection.execute(_WITH_BUDGETS).fetchall():
            found = _compiled(program_id, number, definition)
            if isinstance(found, Finding):
                findings.append(found)
            else:
                programs[program_id, number] = found
        differences = check_budgets(connection, programs)
    findings += [
        _finding(
            "budget_used",
            None,
            f"budget {one.key} of program {one.program_id} in {one.period}",
            one.counted,
            "no row" if one.stored is None else one.stored,
        )
        for one in differences
    ]
    return findings


def _counters(database: Database, most: int) -> list[Finding]:
    findings: list[Finding] = []
    with database.transaction() as tx:
        connection = driver_connection(tx)
        programs = connection.execute(_LIVE).fetchall()
        texts = [connection.execute(_DEFINITION, program).fetchone() for program in programs]
    for (program_id, number), text in zip(programs, texts, strict=True):
        unreadable = _compiled(program_id, number, text[0] if text else "")
        if isinstance(unreadable, Finding):
            findings.append(unreadable)
            continue
        rebuilt = rebuild_states(database, program_id, check=True, most_shown=most)
        findings += [
            _finding(_DUE_LATE, one.member_id, "moment at which time is to be looked at", one.counted, one.stored)
            if one.figure == DUE_AT
            else _finding("state_counters", one.member_id, f"counted {one.figure}", one.counted, one.stored)
            for one in rebuilt.differences
        ]
    return findings[:most]


def _compiled(program_id: int, number: int, definition: str) -> CompiledProgram | Finding:
    try:
        return compile_program(Program.model_validate_json(definition), number)
    except ValueError as error:
        detail = f"version {number} of program {program_id}"
        return _finding("version_unreadable", None, detail, "a definition", str(error).partition("\n")[0])


def _finding(kind: str, member_id: UUID | None, detail: str, expected: Any, found: Any) -> Finding:
    return Finding(kind, _INVARIANTS[kind], member_id, None, None, detail, str(expected), str(found))


_INVARIANTS = {"budget_used": "I4", _DUE_LATE: "I4", "state_counters": "I4", "version_unreadable": "I12"}
