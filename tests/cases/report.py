"""What became of all cases, as text and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from cases.published import BASES
from cases.translation import Result

OUTCOMES = ("passed", "failed", "not expressible")


def count(results: Sequence[Result]) -> Counter[str]:
    """How many of each outcome."""
    return Counter(result.outcome for result in results)


def summary(results: Sequence[Result]) -> str:
    """The last line of a report."""
    found = count(results)
    return f"cases: {found['passed']} passed, {found['failed']} failed, {found['not expressible']} not expressible"


def as_text(results: Sequence[Result]) -> str:
    """Failures with their difference, what is missing with its cases, the sums by basis, and the summary."""
    lines: list[str] = []
    for result in results:
        if result.outcome == "failed":
            lines += [f"FAILED {result.case.id}: {result.case.title} ({result.case.source})"]
            lines += [f"  expected {json.dumps(result.expected)}", f"  found    {json.dumps(result.found)}"]
    missing: dict[str, list[str]] = {}
    for result in results:
        if result.outcome == "not expressible":
            missing.setdefault(result.missing, []).append(result.case.id)
    if missing:
        lines += ["", "not yet expressible, by what is missing:"]
    for capability, ids in sorted(missing.items(), key=lambda item: (-len(item[1]), item[0])):
        lines.append(f"  {len(ids):3} {capability}: {' '.join(ids)}")
    lines += ["", f"{'by basis':16}{''.join(f'{outcome:>17}' for outcome in OUTCOMES)}"]
    for basis, found in _by_basis(results).items():
        lines.append(f"{basis:16}{''.join(f'{found[outcome]:>17}' for outcome in OUTCOMES)}")
    return "\n".join([*lines, "", summary(results)])


def as_data(results: Sequence[Result]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "cases": [
            {
                "id": result.case.id,
                "title": result.case.title,
                "source": result.case.source,
                "basis": result.case.basis,
                "outcome": result.outcome,
                **({"missing": result.missing} if result.missing else {}),
                **({"expected": result.expected, "found": result.found} if result.outcome == "failed" else {}),
            }
            for result in results
        ],
        "by_basis": {basis: {one: found[one] for one in OUTCOMES} for basis, found in _by_basis(results).items()},
        **{outcome.replace(" ", "_"): count(results)[outcome] for outcome in OUTCOMES},
    }


def _by_basis(results: Sequence[Result]) -> dict[str, Counter[str]]:
    bases = dict.fromkeys((*BASES, *(result.case.basis for result in results)))
    return {basis: count([result for result in results if result.case.basis == basis]) for basis in bases}
