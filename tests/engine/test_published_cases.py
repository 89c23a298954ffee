"""Published behaviour of other systems that concerns earning and tiers, reproduced by programs of ours.

Each case is translated by general rules for the vocabulary of its `program` and `events`, and never by its id. What the
rules do not know is "not expressible here" and counted; the cases themselves are no part of this project.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from pathlib import Path

import pytest

from engine.case_program import Data, NotExpressible
from engine.case_translation import Translation

FILE = Path(__file__).parents[3] / "shared" / "cases" / "published.jsonl"
AT_LEAST = 78


def _cases() -> list[Data]:
    texts = FILE.read_text().splitlines() if FILE.exists() else []
    return [dict(json.loads(text)) for text in texts]


CASES = _cases()
needs_cases = pytest.mark.skipif(not CASES, reason="THE PUBLISHED CASES ARE NOT HERE: ../shared/cases/published.jsonl")


@needs_cases
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_a_published_case_comes_out_right_where_it_can_be_expressed(case: Data) -> None:
    try:
        expected, found = Translation(case).run()
    except NotExpressible:
        return  # counted below; a skip for each would drown what matters
    assert found == expected


@needs_cases
def test_how_many_cases_are_expressible() -> None:
    found: Counter[str] = Counter()
    for case in CASES:
        with contextlib.suppress(NotExpressible):
            Translation(case).run()
            found[case["basis"]] += 1
    assert sum(found.values()) >= AT_LEAST, found
