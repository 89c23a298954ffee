"""Fingerprints: one form for what is the same, a hash of its own for each program and kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.program.referrals import FINGERPRINTS
from setia.referrals.fingerprints import Fingerprints, in_common, one_form

BOOK = Fingerprints(b"a secret")


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("email", "Ada+news@Example.com", " ada@example.com"),
        ("email", "a.d.a@googlemail.com", "ada@gmail.com"),
        ("email", "no address", "NO ADDRESS"),
        ("phone", "0049 (151) 99", "+49 151-99"),
        ("card", "47 11-08", "471108"),
        ("address", "Stra\u00dfe 1, K\u00f6ln", "STRASSE 1 / K\u00d6LN"),
        ("device", " d-1 ", "d-1"),
    ],
)
def test_what_is_the_same(kind: str, one: str, other: str) -> None:
    assert one_form(kind, one) == one_form(kind, other)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("email", "a.da@example.com", "ada@example.com"),
        ("device", "D-1", "d-1"),
        ("payment", "tok_A", "tok_a"),
        ("address", "Hauptstr. 1", "Hauptstr. 11"),
    ],
)
def test_what_is_not(kind: str, one: str, other: str) -> None:
    assert one_form(kind, one) != one_form(kind, other)


def test_hashes_are_of_a_program_and_a_kind_and_of_nothing_that_is_empty() -> None:
    value = "4711"
    hashes = {BOOK.hash_of(program, kind, value) for program in (1, 2) for kind in FINGERPRINTS}
    assert len(hashes) == 2 * len(FINGERPRINTS)
    assert Fingerprints(b"another").hash_of(1, "card", value) not in hashes
    assert BOOK.hashes(1, [("address", " -.- "), ("external_id", "x"), ("phone", "000")]) == set()


@given(st.sampled_from(FINGERPRINTS), st.text(max_size=40))
def test_the_one_form_is_one(kind: str, value: str) -> None:
    if kind != "phone":  # zeros at the front are how a number is dialled
        assert one_form(kind, one_form(kind, value)) == one_form(kind, value)


def test_the_first_that_blocks_is_told() -> None:
    ada = BOOK.hashes(1, [("email", "a@b.c"), ("device", "d"), ("payment", "p")])
    bob = BOOK.hashes(1, [("email", "b@b.c"), ("device", "d"), ("payment", "p")])
    assert in_common(ada, bob, FINGERPRINTS) == "device"
    assert in_common(ada, bob, ("payment", "device")) == "payment"
    assert in_common(ada, bob, ("email",)) is None
    assert in_common(ada, bob, ()) is None


def test_an_address_that_is_only_a_tag_is_not_everybodys() -> None:
    assert one_form("email", "+a@example.com") != one_form("email", "+b@example.com")
