"""Files of a shop that sells in several currencies: rounded as each has decimals, and reported in the program's."""

from decimal import Decimal
from typing import Any

import pytest

from import_world import MAP, Shop
from import_world import PROGRAM as BASE
from setia.program.definition import Program
from setia.versions.service import publish

HEADER = "id,who,at,amount,currency\n"
FORM = MAP + "currency: row.currency\nrounding: half_up\n"


@pytest.fixture
def abroad(shop: Shop) -> Shop:
    program: dict[str, Any] = BASE | {
        "program": BASE["program"] | {"rates": {"USD": "0.9", "JPY": "0.006", "KWD": "3"}}
    }
    with shop.database.transaction() as tx:
        publish(tx, Program.model_validate(program), "test")
    return shop


def test_each_currency_is_rounded_as_it_has_decimals(abroad: Shop) -> None:
    content = HEADER + (
        "1,ann,2026-01-01,10.005,EUR\n2,ann,2026-01-01,10.004,USD\n3,ann,2026-01-01,999.5,JPY\n"
        "4,ann,2026-01-01,1.2345,KWD\n5,ann,2026-01-01,1.00,GBP\n6,ann,2026-01-01,1.00,what\n"
    )
    report = abroad.bring(content, FORM)
    assert abroad.purchases() == [
        ("1", "decided", "1001"),
        ("2", "decided", "900"),
        ("3", "decided", "600"),
        ("4", "decided", "371"),  # 1.235 dinars
    ]
    assert report.tally.money["imported"] == Decimal("10.01") + Decimal("9.00") + Decimal("6.00") + Decimal("3.71")
    assert dict(report.tally.refused) == {"invalid_event": 2}
    again = abroad.bring(content, FORM)
    assert again.tally.rows["imported"] == 0
    abroad.assert_clean()
