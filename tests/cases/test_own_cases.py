"""Cases of our own, in a file like the published ones: all of them come out right, whoever has the others or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cases.published import read_cases
from cases.report import as_text
from cases.shop import serving
from cases.translation import try_case
from setia.db.engine import Database

OWN = read_cases(Path(__file__).with_name("own.jsonl"))
PARTS = 4
"""The file is played in so many parts, so that several processes share it."""


@pytest.fixture(autouse=True)
def _no_pictures_of_tracebacks() -> Iterator[None]:
    with capture_logs():
        yield


@pytest.mark.parametrize("part", range(PARTS))
def test_our_own_cases_come_out_right(database: Database, part: int) -> None:
    with serving(database) as server:
        results = [try_case(server, case) for case in OWN[part::PARTS]]
    assert [result.case.id for result in results if result.outcome != "passed"] == [], as_text(results)


def test_our_own_cases_speak_of_everything_and_have_names_of_their_own() -> None:
    tags = {tag for case in OWN for tag in case.tags}
    assert tags >= {
        *(
            "earn",
            "tax",
            "rounding",
            "stacking",
            "multiplier",
            "caps",
            "minimum",
            "window",
            "tier",
            "downgrade",
            "expiry",
        ),
        *("lots", "pending", "birthday", "currency", "cashback", "coalition", "dates", "coupon", "redeem", "return"),
        *("free_product", "gift_card", "referral", "transfer", "merge", "allocation", "segment", "paid_membership"),
    }
    assert len({case.id for case in OWN}) == len(OWN)
