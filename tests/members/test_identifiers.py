"""Identifiers have one form, however they are typed."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from setia.members.identifiers import (
    InvalidIdentifier,
    MemberReference,
    normalise,
    read_identifiers,
    read_reference,
)
from setia.program.events import IdentifierKind, Members

GERMAN = Members(phone_region="DE")


@pytest.mark.parametrize(
    ("kind", "typed", "form"),
    [
        ("external_id", "  Customer-17 ", "Customer-17"),
        ("external_id", "007", "007"),
        ("card", "4711 0815", "47110815"),
        ("card", "ab-12\u201334\u00a056", "AB123456"),
        ("phone", "+49 151 23456789", "+4915123456789"),
        ("phone", "0151/23456789", "+4915123456789"),
        ("phone", "0049 151 23456789", "+4915123456789"),
        ("phone", "+60 12-345 6789", "+60123456789"),
        ("email", " Ada.Lovelace+x@Example.COM ", "ada.lovelace+x@example.com"),
        ("email", "a\u0308rger@example.de", "\u00e4rger@example.de"),
        ("email", "info@m\u00fcller.example", "info@m\u00fcller.example"),
    ],
)
def test_one_form(kind: IdentifierKind, typed: str, form: str) -> None:
    assert normalise(kind, typed, phone_region="DE") == form


@pytest.mark.parametrize(
    ("kind", "typed", "sentence"),
    [
        ("external_id", "   ", "must not be empty"),
        ("external_id", "x" * 201, "must have at most 200 characters"),
        ("external_id", "a\0b", "must not hold control characters"),
        ("card", "- -", "must be 1 to 64 letters A to Z and digits; spaces and dashes do not count"),
        ("card", "\uff14\uff17", "must be 1 to 64 letters A to Z and digits; spaces and dashes do not count"),
        ("phone", "hello", "must be a phone number in digits, such as +49 151 23456789"),
        ("phone", "1-800-FLOWERS", "must be a phone number in digits, such as +49 151 23456789"),
        ("phone", "+1 555 12", "must be a phone number of a length that its country has, such as +49 151 23456789"),
        ("phone", "+999 123456", "must be a phone number, such as +49 151 23456789"),
        ("email", "ada", "must be an e-mail address, such as name@example.com"),
        ("email", "a b@example.com", "must be an e-mail address, such as name@example.com"),
        ("email", "ada@localhost", "must be an e-mail address, such as name@example.com"),
        ("email", f"a@{'x' * 250}.com", "must be an e-mail address, such as name@example.com"),
    ],
)
def test_what_cannot_be_one(kind: IdentifierKind, typed: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        normalise(kind, typed, phone_region="DE")
    assert str(raised.value) == sentence


def test_a_national_number_needs_a_region() -> None:
    with pytest.raises(ValueError, match=r"must begin with \+"):
        normalise("phone", "0151 23456789")


@given(st.sampled_from(("external_id", "card", "phone", "email")), st.text(max_size=40))
@example("email", "\u0130@x.de")
@example("card", "\u00df")
def test_the_form_of_a_form_is_itself(kind: IdentifierKind, typed: str) -> None:
    try:
        form = normalise(kind, typed, phone_region="DE")
    except ValueError:
        return
    assert normalise(kind, form, phone_region="DE") == form


def test_a_reference_stands_in_the_programs_order() -> None:
    members = Members(identifiers=("email", "card"))
    reference = read_reference(members, {"card": "4 711", "email": "Ada@example.com"})
    assert reference == MemberReference(None, (("email", "ada@example.com"), ("card", "4711")))


def test_every_fault_of_a_reference_is_pointed_at() -> None:
    with pytest.raises(InvalidIdentifier) as raised:
        read_reference(Members(identifiers=("card", "email")), {"id": "evt_1", "card": 4711, "phone": "+4915123456789"})
    assert [(item.pointer, item.message) for item in raised.value.errors] == [
        ("#/member/phone", "This program does not know members by it."),
        ("#/member/id", f"It must be an id that starts with mem_, like mem_{'0' * 32}."),
        ("#/member/card", "It must be a text, in quotes."),
    ]


def test_nobody_is_not_a_reference() -> None:
    with pytest.raises(InvalidIdentifier) as raised:
        read_reference(GERMAN, {})
    assert raised.value.errors[0].pointer == "#/member"


def test_a_member_may_have_several_cards_and_each_once() -> None:
    found = read_identifiers(GERMAN, {"card": ["47 11", "4711", "ab"], "external_id": "x"})
    assert found == (("card", "4711"), ("card", "AB"), ("external_id", "x"))


def test_faults_among_several_are_pointed_at() -> None:
    with pytest.raises(InvalidIdentifier) as raised:
        read_identifiers(GERMAN, {"card": ["4711", "?"], "email": "x"})
    assert [item.pointer for item in raised.value.errors] == ["#/identifiers/card/1", "#/identifiers/email"]
    with pytest.raises(InvalidIdentifier) as raised:
        read_identifiers(GERMAN, {"card": [str(number) for number in range(11)]})
    assert raised.value.errors[0].message == "At most 10 values of one kind."
    with pytest.raises(InvalidIdentifier) as raised:
        read_identifiers(GERMAN, {})
    assert raised.value.errors[0].message == "A member needs at least one identifier."
