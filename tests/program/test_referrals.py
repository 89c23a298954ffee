"""The terms of referrals: what can be written, and what is refused with a sentence."""

from typing import Any

import pytest
from pydantic import ValidationError

from setia.program.definition import Program
from setia.program.referrals import FINGERPRINTS, Referral, Wins
from setia.program.yaml_text import load
from setia.program.yaml_writer import dump


def test_nothing_has_to_be_said() -> None:
    terms = Referral.model_validate({})
    assert (terms.reward_at, terms.levels, terms.blocks) == ("first_purchase", 1, FINGERPRINTS)
    assert terms.caps.of_referrer == ()
    assert str(terms.after) == "0d"
    assert terms.link_of("ABC") is None


@pytest.mark.parametrize(
    ("written", "uses", "every", "short"),
    [
        (10, 10, "ever", 10),
        ("10", 10, "ever", 10),
        ("3 per week", 3, "week", "3 per week"),
        ({"uses": 2}, 2, "ever", 2),
        ({"uses": 2, "every": "year"}, 2, "year", "2 per year"),
    ],
)
def test_caps_are_written_short(written: Any, uses: int, every: str, short: Any) -> None:
    wins = Wins.model_validate(written)
    assert (wins.uses, wins.every) == (uses, every)
    assert wins.model_dump() == short
    assert Wins.model_validate(wins.model_dump()) == wins


@pytest.mark.parametrize(
    "written", ["ten", "10 per minute", "0", 0, True, "10 a month", -1, {"uses": 1, "each": "day"}]
)
def test_what_is_no_cap_is_refused(written: Any) -> None:
    with pytest.raises(ValidationError):
        Wins.model_validate(written)


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ({"link": "https://shop.example"}, "no place for the code"),
        ({"link": "{code}{code}"}, "no place for the code"),
        ({"reward_at": "enrolled", "at_least": 1}, "`at_least` is about a purchase"),
        ({"reward_at": "enrolled", "within": "1d"}, "`within` is about a purchase"),
        ({"levels": 6}, "less than or equal to 5"),
        ({"levels": 0}, "greater than or equal to 1"),
        ({"blocks": ["shoe_size"]}, "email"),
        ({"at_least": -1}, "greater than or equal to 0"),
    ],
)
def test_what_cannot_be_is_said(terms: Any, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Referral.model_validate(terms)


def test_an_event_of_ones_own_may_not_be_called_like_one_of_referrals() -> None:
    whole = {
        "program": {"id": "a", "name": "A", "currency": "EUR"},
        "points": {"stars": {}},
        "events": {"referral_won": {}},
    }
    with pytest.raises(ValidationError, match="an event every program has"):
        Program.model_validate(whole)


def test_what_is_written_is_read_again() -> None:
    text = """
program: {id: a, name: A, currency: EUR}
points: {stars: {}}
referrals:
  friends:
    at_least: 20.50
    caps: {referrer: [1 per day, 10]}
    blocks: [email]
    link: "https://shop.example/?ref={code}"
"""
    program = load(text).require()
    assert load(dump(program)).require() == program
    assert program.referrals["friends"].link_of("X1") == "https://shop.example/?ref=X1"
