"""When gift cards end, by their kind and by law; and how several pay one order."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import given

from setia.engine.gift_cards import card_expires_at, currency_of, later_end, shares, units_of
from setia.program.definition import Program
from setia.program.gift_cards import GiftCard

BERLIN = ZoneInfo("Europe/Berlin")
BOUGHT = dt.datetime(2026, 5, 5, 10, tzinfo=dt.UTC)


def end(loaded_at: dt.datetime = BOUGHT, *, first: bool = True, **kind: Any) -> str | None:
    found = card_expires_at(GiftCard.model_validate(kind), loaded_at, BERLIN, first=first)
    return None if found is None else found.astimezone(BERLIN).isoformat()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ({}, None),
        ({"country": "DE"}, "2030-01-01T00:00:00+01:00"),
        ({"country": "AT"}, "2056-05-06T00:00:00+02:00"),
        ({"country": "US"}, "2031-05-06T00:00:00+02:00"),
        ({"country": "AU"}, "2029-05-06T00:00:00+02:00"),
        ({"country": "IE"}, "2031-05-06T00:00:00+02:00"),
        ({"country": "CA"}, None),
        ({"country": "CA", "valid_for": "1y"}, None),
        ({"country": "GB"}, None),
        ({"country": "GB", "valid_for": "1y"}, "2027-05-06T00:00:00+02:00"),
        ({"valid_for": "6mo", "align": "year_end"}, "2027-01-01T00:00:00+01:00"),
        ({"country": "DE", "valid_for": "1y"}, "2030-01-01T00:00:00+01:00"),
        ({"country": "DE", "valid_for": "5y"}, "2031-05-06T00:00:00+02:00"),
    ],
)
def test_the_later_of_the_kinds_end_and_the_laws_counts(kind: dict[str, Any], expected: str | None) -> None:
    assert end(**kind) == expected


def test_the_local_day_counts() -> None:
    eve = dt.datetime(2026, 12, 31, 23, 30, tzinfo=dt.UTC)  # it is the new year in Berlin
    assert end(eve, country="DE") == "2031-01-01T00:00:00+01:00"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ({"country": "US"}, "2031-05-06T00:00:00+02:00"),
        ({"country": "DE"}, None),
        ({"valid_for": "1y"}, None),
        ({"valid_for": "1y", "counted_from": "last_load"}, "2027-05-06T00:00:00+02:00"),
    ],
)
def test_what_a_load_begins_again(kind: dict[str, Any], expected: str | None) -> None:
    assert end(first=False, **kind) == expected


def test_a_load_never_ends_a_card_earlier() -> None:
    yearly = GiftCard.model_validate({"valid_for": "1y", "counted_from": "last_load"})
    far = dt.datetime(2040, 1, 1, tzinfo=dt.UTC)
    assert later_end(yearly, far, BOUGHT, BERLIN) == far
    assert later_end(yearly, BOUGHT, BOUGHT, BERLIN) == dt.datetime(2027, 5, 5, 22, tzinfo=dt.UTC)
    assert later_end(yearly, None, BOUGHT, BERLIN) is None
    assert later_end(GiftCard(), BOUGHT, BOUGHT, BERLIN) == BOUGHT


def test_amounts_are_in_the_cards_own_currency() -> None:
    program = Program.model_validate({"program": {"id": "x", "name": "X", "currency": "EUR"}, "points": {"p": {}}})
    assert currency_of(program, GiftCard()) == "EUR"
    assert currency_of(program, GiftCard(currency="JPY")) == "JPY"
    assert units_of(GiftCard(value="12.50").value, "EUR") == 1250
    assert units_of(GiftCard(value="12").value, "JPY") == 12


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**6), max_size=6))
def test_cards_pay_what_there_is_and_no_more(wanted: int, there: list[int]) -> None:
    parts = shares(wanted, there)
    assert sum(parts) == min(wanted, sum(there))
    assert all(0 <= part <= amount for part, amount in zip(parts, there, strict=True))
    # One after the other: a card pays only when those before it are empty.
    assert all(part == amount for part, amount, after in zip(parts, there, parts[1:], strict=False) if after)
