"""Validity: how long a level is held, as it is written."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from setia.program.validity import Validity

SHORT: list[Any] = [
    *("current", "calendar_year", "anniversary", "for_ever", "12mo", "365d"),
    {"every": "365d"},
    {"on": ["01-01", "07-01"]},
    {"after": "12mo", "align": "month_end"},
    {"after": "20d", "first_day_counts": True},
    {"after": "1y", "align": "year_end", "first_day_counts": True},
]


@pytest.mark.parametrize("written", SHORT)
def test_what_is_written_is_written_out_again(written: Any) -> None:
    validity = Validity.model_validate(written)
    assert validity.model_dump(mode="json") == written
    assert Validity.model_validate(validity.model_dump(mode="json")) == validity


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        (" 12mo ", "after"),
        ({"kind": "after", "after": "1y"}, "after"),
        ({"on": ["02-29"]}, "on"),
        ({"every": "1w"}, "every"),
    ],
)
def test_kinds(written: Any, kind: str) -> None:
    assert Validity.model_validate(written).kind == kind


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("weekly", "is not a validity"),
        ("12 moons", "is not a length of time"),
        ("12h", "held for days, weeks, months or years"),
        ("0d", "held for days, weeks, months or years"),
        ({"every": "30min"}, "held for days, weeks, months or years"),
        ({}, "exactly one of"),
        ({"after": "1y", "every": "1y"}, "exactly one of"),
        ({"align": "month_end"}, "exactly one of"),
        ({"on": ["13-01"]}, "pattern"),
        ({"on": []}, "exactly one of"),
        ({"every": "1y", "align": "month_end"}, "keys that do not fit"),
        ({"on": ["01-01"], "first_day_counts": True}, "keys that do not fit"),
        ({"kind": "current", "after": "1y"}, "keys that do not fit"),
        ({"kind": "after"}, "keys that do not fit"),
        ({"after": "1y", "until": "x"}, "Extra inputs"),
        (12, "valid dictionary"),
    ],
)
def test_what_is_no_validity(written: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Validity.model_validate(written)
