"""The published cases through the API: none fails, and no fewer come out right than did before.

The cases themselves are no part of this project; where their file is not there, the made-up cases of `test_vocabulary`
keep the translation honest.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from cases.published import BASES, read_cases
from cases.report import as_data, as_text, count, summary
from cases.shop import serving
from cases.translation import try_case
from setia.db.engine import Database

CASES = read_cases()
AT_LEAST = {"source_test": 122, "source_example": 46, "derived": 37}
needs_cases = pytest.mark.skipif(not CASES, reason="THE PUBLISHED CASES ARE NOT HERE: ../shared/cases/published.jsonl")


@pytest.fixture(autouse=True)
def _no_pictures_of_tracebacks() -> Iterator[None]:
    with capture_logs():
        yield


@needs_cases
def test_published_cases_come_out_right_where_they_can_be_expressed(database: Database) -> None:
    with serving(database) as server:
        results = [try_case(server, case) for case in CASES]
    text = as_text(results)
    assert count(results)["failed"] == 0, text
    found = as_data(results)["by_basis"]
    assert all(found[basis]["passed"] >= AT_LEAST[basis] for basis in BASES), text
    assert text.endswith(summary(results))
