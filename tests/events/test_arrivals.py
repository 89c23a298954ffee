"""What is said of an event that cannot be: the code, the place, and all faults at once. Nothing is booked here."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from api_world import definition
from events.shop import EVENTS, LINE, NOW, arrived, live, purchase
from setia.api.idempotency import KeyRequired
from setia.events.arrivals import Draft, draft
from setia.events.live import ready
from setia.events.problems import InvalidEvent, MalformedEvent
from setia.members.identifiers import InvalidIdentifier
from setia.problems import Problem
from setia.program.definition import Program

PURCHASE = purchase("x")
LONG = "x" * 201
SURVEY: dict[str, Any] = {"type": "survey", "external_id": "x", "data": {"score": 1}}
VISIT: dict[str, Any] = {"type": "visit", "external_id": "x"}


def faults(event: Mapping[str, Any] | bytes, program: Any = None) -> list[tuple[str, str]]:
    with pytest.raises(Problem) as caught:
        arrived(event, program)
    assert isinstance(caught.value, InvalidEvent | InvalidIdentifier)
    return [(item.pointer, item.message) for item in caught.value.errors]


def line(**more: Any) -> dict[str, Any]:
    """A purchase whose second line is as given."""
    return {**PURCHASE, "lines": [LINE, LINE | more]}


def in_currency(currency: str) -> Any:
    whole = definition()
    whole["program"]["currency"] = currency
    return ready(1, Program.model_validate(whole), 1)


@pytest.mark.parametrize(
    ("event", "pointer", "message"),
    [
        ({**PURCHASE, "foo": 1}, "#/foo", "Object contains unknown field `foo`."),
        ({**PURCHASE, "a/b~": 1}, "#/a~1b~0", "Object contains unknown field `a/b~`."),
        ({**PURCHASE, "member": {"car": "1"}}, "#/member/car", "Object contains unknown field `car`."),
        (line(price=1), "#/lines/1/price", "Object contains unknown field `price`."),
        ({"external_id": "x"}, "#/type", "Object missing required field `type`."),
        ({**PURCHASE, "lines": [LINE, {"sku": "a"}]}, "#/lines/1/amount", "Object missing required field `amount`."),
        ({**PURCHASE, "type": 5}, "#/type", "Expected `str`, got `int`."),
        ({**PURCHASE, "type": "Buy"}, "#/type", "Expected `str` matching regex '^[a-z][a-z0-9_]*$'."),
        ({**PURCHASE, "external_id": 5}, "#/external_id", "Expected `str | null`, got `int`."),
        ({**PURCHASE, "external_id": ""}, "#/external_id", "Expected `str` of length >= 1."),
        ({**PURCHASE, "external_id": LONG}, "#/external_id", "Expected `str` of length <= 200."),
        ({**PURCHASE, "source": ""}, "#/source", "Expected `str` of length >= 1."),
        ({**PURCHASE, "source": "s" * 64}, "#/source", "Expected `str` of length <= 63."),
        ({**PURCHASE, "member": "1"}, "#/member", "Expected `object | null`, got `str`."),
        ({**PURCHASE, "labels": [""]}, "#/labels/0", "Expected `str` of length >= 1."),
        ({**PURCHASE, "labels": ["a"] * 51}, "#/labels", "Expected `array` of length <= 50."),
        ({**PURCHASE, "channel": LONG}, "#/channel", "Expected `str` of length <= 200."),
        ({**PURCHASE, "currency": "EURO"}, "#/currency", "Expected `str` of length <= 3."),
        ({**PURCHASE, "lines": [LINE] * 1001}, "#/lines", "Expected `array` of length <= 1000."),
        ({**PURCHASE, "lines": [5]}, "#/lines/0", "Expected `object`, got `int`."),
        ({**PURCHASE, "tax_included": "yes"}, "#/tax_included", "Expected `bool`, got `str`."),
        (line(sku=""), "#/lines/1/sku", "Expected `str` of length >= 1."),
        (line(amount="abc"), "#/lines/1/amount", "Invalid decimal string."),
        (line(amount=True), "#/lines/1/amount", "Expected `decimal`, got `bool`."),
        (line(amount=None), "#/lines/1/amount", "Expected `decimal`, got `null`."),
        ({**PURCHASE, "occurred_at": 5}, "#/occurred_at", "Expected `datetime | null`, got `int`."),
        ({**PURCHASE, "occurred_at": "2026-02-30T00:00:00Z"}, "#/occurred_at", "Invalid RFC3339 encoded datetime."),
        ({**PURCHASE, "occurred_at": "2026-02-03"}, "#/occurred_at", "Invalid RFC3339 encoded datetime."),
        (b'{"type":"survey","data":{"score":' + b"9" * 5000 + b"}}", "#/data", "Integer value out of range."),
        (b"[]", "#", "Expected `object`, got `array`."),
        (b"null", "#", "Expected `object`, got `null`."),
        (b"[" * 100_000, "#", "Expected `object`, got `array`."),
    ],
)
def test_the_reader_points_at_what_it_cannot_read(event: Any, pointer: str, message: str) -> None:
    assert faults(event) == [(pointer, message)]


NOTHING_LESS = "An amount is 0 or more, not {}."
TOO_MUCH = "{} is beyond the largest amount, 100000000000 EUR."
TOO_FINE = "{} has more decimals than EUR, which has 2."
QUANTITY = "A quantity is at most 1000000000 and has at most 6 decimals."
NO_CARD = "It must be 1 to 64 letters A to Z and digits; spaces and dashes do not count."
BEFORE_1900 = "The moment lies before 1900."
NOT_JSON = "The body is not JSON: JSON is malformed: "
ZERO = "It contains the character U+0000, which no text may contain."


@pytest.mark.parametrize(
    ("event", "pointer", "message"),
    [
        # amounts
        (line(amount="-0.01"), "#/lines/1/amount", NOTHING_LESS.format("-0.01")),
        (line(amount=-1), "#/lines/1/amount", NOTHING_LESS.format("-1")),
        (line(amount="NaN"), "#/lines/1/amount", NOTHING_LESS.format("NaN")),
        (line(amount="sNaN"), "#/lines/1/amount", NOTHING_LESS.format("sNaN")),
        (line(amount="Infinity"), "#/lines/1/amount", NOTHING_LESS.format("Infinity")),
        (line(amount="1e999999999"), "#/lines/1/amount", TOO_MUCH.format("1E+999999999")),
        (line(amount="100000000000.01"), "#/lines/1/amount", TOO_MUCH.format("100000000000.01")),
        (line(amount="9" * 5000), "#/lines/1/amount", TOO_MUCH.format("9" * 37 + "...")),
        (line(amount="1e-999999999"), "#/lines/1/amount", TOO_FINE.format("1E-999999999")),
        (line(amount="1.001"), "#/lines/1/amount", TOO_FINE.format("1.001")),
        (line(amount="1." + "0" * 29 + "1"), "#/lines/1/amount", TOO_FINE.format("1." + "0" * 29 + "1")),
        (line(amount=f"{'9' * 14}.{'0' * 13}1"), "#/lines/1/amount", TOO_FINE.format(f"{'9' * 14}.{'0' * 13}1")),
        (line(tax="-1"), "#/lines/1/tax", NOTHING_LESS.format("-1")),
        (line(discount="-1"), "#/lines/1/discount", NOTHING_LESS.format("-1")),
        ({**PURCHASE, "shipping": "-1"}, "#/shipping", NOTHING_LESS.format("-1")),
        ({**PURCHASE, "discount": "-1"}, "#/discount", NOTHING_LESS.format("-1")),
        ({**PURCHASE, "tenders": [{"type": "cash", "amount": -1}]}, "#/tenders/0/amount", NOTHING_LESS.format("-1")),
        # quantities
        (line(quantity=0), "#/lines/1/quantity", "A quantity is more than 0, not 0."),
        (line(quantity=-2), "#/lines/1/quantity", "A quantity is more than 0, not -2."),
        (line(quantity="NaN"), "#/lines/1/quantity", "A quantity is more than 0, not NaN."),
        (line(quantity="1e999999999"), "#/lines/1/quantity", QUANTITY),
        (line(quantity="1e-999999999"), "#/lines/1/quantity", QUANTITY),
        (line(quantity="1000000001"), "#/lines/1/quantity", QUANTITY),
        # parts that do not add up
        (line(tax="10.01"), "#/lines/1/tax", "The tax is larger than the amount it is contained in."),
        ({**PURCHASE, "discount": "10.01"}, "#/discount", "The discount is larger than the lines together."),
        (
            {**PURCHASE, "shipping": "1", "shipping_tax": "1.01"},
            "#/shipping_tax",
            "The tax is larger than the shipping it is contained in.",
        ),
        (
            {
                **PURCHASE,
                "discount": "1",
                "tenders": [{"type": "cash", "amount": "5"}, {"type": "points", "amount": "4.01"}],
            },
            "#/tenders",
            "The parts paid are more than the order costs.",
        ),
        ({**PURCHASE, "lines": []}, "#/lines", "A purchase has at least one line."),
        ({**PURCHASE, "lines": None}, "#/lines", "A purchase has at least one line."),
        ({**PURCHASE, "currency": "USD"}, "#/currency", "The program counts in EUR, not in USD."),
        # moments
        ({**PURCHASE, "occurred_at": "2026-01-01T00:00:00"}, "#/occurred_at", "The moment has no offset."),
        ({**PURCHASE, "occurred_at": "1899-12-31T23:59:59Z"}, "#/occurred_at", BEFORE_1900),
        ({**PURCHASE, "occurred_at": "1900-01-01T00:30:00+01:00"}, "#/occurred_at", BEFORE_1900),
        ({**PURCHASE, "occurred_at": "0001-01-01T00:00:00+01:00"}, "#/occurred_at", BEFORE_1900),
        # what the event is
        (
            {**VISIT, "type": "nope"},
            "#/type",
            "'nope' is not an event of this program.",
        ),
        ({**VISIT, "type": "member_enrolled"}, "#/type", "Setia makes this event itself, when a member enrols."),
        ({**VISIT, "source": "setia"}, "#/source", "'setia' is the source of the events that Setia makes itself."),
        ({**VISIT, "data": {}}, "#/data", "A visit has no `data`."),
        ({**PURCHASE, "data": {}}, "#/data", "A purchase has no `data`."),
        ({**SURVEY, "lines": []}, "#/lines", "Only a purchase has `lines`."),
        ({**VISIT, "currency": "EUR"}, "#/currency", "Only a purchase has `currency`."),
        ({**VISIT, "tenders": [{"type": "cash", "amount": 1}]}, "#/tenders", "Only a purchase has `tenders`."),
        # data against its schema
        ({"type": "survey", "external_id": "x"}, "#/data", '"score" is a required property.'),
        ({**SURVEY, "data": {"score": -1}}, "#/data/score", "-1 is less than the minimum of 0."),
        ({**SURVEY, "data": {"score": "5"}}, "#/data/score", '"5" is not of type "integer".'),
        # who it is about
        ({**PURCHASE, "member": {}}, "#/member", "It names nobody."),
        ({**PURCHASE, "member": {"card": "!"}}, "#/member/card", NO_CARD),
        ({**PURCHASE, "member": {"card": "1\0"}}, "#/member/card", "It must not hold control characters."),
        # texts that cannot be stored
        ({**PURCHASE, "external_id": "a\0"}, "#/external_id", ZERO),
        ({**PURCHASE, "source": "a\0"}, "#/source", ZERO),
        ({**PURCHASE, "channel": "\0"}, "#/channel", ZERO),
        ({**PURCHASE, "location": "a\0b"}, "#/location", ZERO),
        ({**PURCHASE, "labels": ["a", "b\0"]}, "#/labels/1", ZERO),
        (line(sku="\0"), "#/lines/1/sku", ZERO),
        (line(name="\0"), "#/lines/1/name", ZERO),
        (line(category="\0"), "#/lines/1/category", ZERO),
        (line(brand="\0"), "#/lines/1/brand", ZERO),
        (line(labels=["\0"]), "#/lines/1/labels/0", ZERO),
        ({**SURVEY, "data": {"score": 1, "tips": [{"a/b": "\0"}]}}, "#/data/tips/0/a~1b", ZERO),
        ({**SURVEY, "data": {"score": 1, "tips": [{"\0": "b"}]}}, "#/data/tips/0", ZERO),
    ],
)  # fmt: skip
def test_a_rule_that_is_broken_is_named_with_its_place(event: Any, pointer: str, message: str) -> None:
    assert faults(event) == [(pointer, message)]


def test_every_fault_is_told_at_once() -> None:
    event = {
        **PURCHASE,
        "source": "setia",
        "currency": "USD",
        "occurred_at": "2026-01-01T00:00:00",
        "lines": [LINE | {"amount": "-1", "quantity": 0}, LINE | {"tax": "0.001"}],
        "data": {},
    }
    assert [pointer for pointer, _ in faults(event)] == [
        "#/source",
        "#/occurred_at",
        "#/currency",
        "#/lines/0/amount",
        "#/lines/0/quantity",
        "#/lines/1/tax",
        "#/data",
    ]


def test_a_pointer_into_the_data_is_escaped() -> None:
    schema = {"type": "object", "properties": {"a/b~": {"type": "integer"}}}
    program = live(events={"odd": {"data": schema}})
    event = {"type": "odd", "external_id": "x", "data": {"a/b~": "5"}}
    assert faults(event, program) == [("#/data/a~1b~0", '"5" is not of type "integer".')]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "The body is not JSON: Input data was truncated."),
        (b"{", "The body is not JSON: Input data was truncated."),
        (b"\xff", "The body is not JSON: JSON is malformed: invalid character (byte 0)."),
        (b'{"type":"visit","external_id":"\xff"}', "The body is not UTF-8."),
        (b'{"type":"visit","external_id":"\xed\xa0\x80"}', "The body is not UTF-8."),
        (b'{"type":"visit","external_id":NaN}', NOT_JSON + "invalid character (byte 30)."),
        (b'{"type":"visit","external_id":"x"} x', NOT_JSON + "trailing characters (byte 36)."),
        (b'{"type":"survey","data":' + b'{"a":' * 100_000, "The body is nested too deeply."),
    ],
)  # fmt: skip
def test_what_is_not_json_is_said_to_be_none(body: bytes, detail: str) -> None:
    with pytest.raises(MalformedEvent) as caught:
        arrived(body)
    assert (caught.value.status, caught.value.detail) == (400, detail)


@pytest.mark.parametrize("text", [b"\\ud800", b"\\udc00x", b"\\ud800\\ud800"])
def test_half_a_surrogate_pair_is_no_text(text: bytes) -> None:
    with pytest.raises(MalformedEvent):
        arrived(b'{"type":"visit","external_id":"' + text + b'"}')


def test_a_backslash_before_u0000_is_only_a_text() -> None:
    assert arrived({**VISIT, "labels": ["\\u0000"]}).event.labels == ("\\u0000",)


def test_of_two_keys_of_one_name_the_last_counts() -> None:
    assert arrived(b'{"type":"purchase","type":"visit","external_id":"x"}').event.type == "visit"


def test_neither_external_id_nor_key() -> None:
    with pytest.raises(KeyRequired) as caught:
        draft(b'{"type":"visit"}', NOW)
    assert (caught.value.status, caught.value.code) == (400, "idempotency_key_required")


def test_in_a_batch_a_missing_external_id_is_pointed_at() -> None:
    with pytest.raises(KeyRequired) as caught:
        draft(b'{"type":"visit"}', NOW, pointer="/events/3")
    assert [item.pointer for item in caught.value.errors] == ["#/events/3/external_id"]


def test_a_key_stands_for_the_external_id_and_does_not_replace_it() -> None:
    def external_id(raw: bytes) -> str | None:
        read: Draft = draft(raw, NOW, "key-1")
        return read.sent.external_id

    assert external_id(b'{"type":"visit"}') == "key-1"
    assert external_id(b'{"type":"visit","external_id":"mine"}') == "mine"


def test_amounts_become_whole_numbers_of_the_smallest_unit() -> None:
    event = {
        **PURCHASE,
        "currency": "EUR",
        "lines": [
            {"sku": "a", "amount": "10.5", "quantity": "0.25", "tax": 1, "discount": 0.5},
            {"sku": "b", "amount": 1e2},
            {"sku": "c", "amount": "0.10000000000000"},
            {"sku": "d", "amount": "-0"},
        ],
        "shipping": "4.90",
        "shipping_tax": "0.78",
        "discount": "2",
        "tenders": [{"type": "gift_card", "amount": "5"}, {"type": "points", "amount": "108.50"}],
    }
    found = arrived(event).event
    assert [(one.amount, one.quantity, one.tax, one.discount) for one in found.lines] == [
        (1050, Decimal("0.25"), 100, 50),
        (10000, Decimal(1), 0, 0),
        (10, Decimal(1), 0, 0),
        (0, Decimal(1), 0, 0),
    ]
    assert (found.shipping, found.shipping_tax, found.discount) == (490, 78, 200)
    assert [(tender.type, tender.amount) for tender in found.tenders] == [("gift_card", 500), ("points", 10850)]


def test_tax_that_is_not_included_is_added() -> None:
    event = line(tax="1.90") | {"tax_included": False, "shipping": "5", "shipping_tax": "0.95"}
    found = arrived(event).event
    assert [(one.amount, one.tax) for one in found.lines] == [(1000, 0), (1190, 190)]
    assert (found.shipping, found.shipping_tax) == (595, 95)
    # A tax above 100 % is odd and possible; only a tax inside the amount cannot be larger than it.
    assert arrived(line(tax="11") | {"tax_included": False}).event.lines[1].amount == 2100


@pytest.mark.parametrize(
    ("currency", "good", "units", "bad", "decimals"),
    [("JPY", "1000", 1000, "0.5", 0), ("KWD", "1.234", 1234, "1.2345", 3), ("EUR", "1.23", 123, "1.234", 2)],
)
def test_each_currency_has_its_decimals(currency: str, good: str, units: int, bad: str, decimals: int) -> None:
    program = in_currency(currency)
    assert arrived(purchase("x", good), program).event.lines[0].amount == units
    message = f"{bad} has more decimals than {currency}, which has {decimals}."
    assert faults(purchase("x", bad), program) == [("#/lines/0/amount", message)]


def test_the_largest_amount_is_as_many_units_in_each_currency() -> None:
    assert arrived(purchase("x", "100000000000")).event.lines[0].amount == 10**13
    yen = in_currency("JPY")
    assert arrived(purchase("x", "10000000000000"), yen).event.lines[0].amount == 10**13
    message = "10000000000001 is beyond the largest amount, 10000000000000 JPY."
    assert faults(purchase("x", "10000000000001"), yen) == [("#/lines/0/amount", message)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (None, NOW),
        ("2026-03-29T02:30:00+02:00", dt.datetime(2026, 3, 29, 0, 30, tzinfo=dt.UTC)),
        ("1900-01-01T00:00:00Z", dt.datetime(1900, 1, 1, tzinfo=dt.UTC)),
        ("2026-01-01T00:00:00.123456789Z", dt.datetime(2026, 1, 1, 0, 0, 0, 123457, tzinfo=dt.UTC)),
        ("9999-12-31T23:59:59-01:00", dt.datetime.max.replace(tzinfo=dt.UTC)),
    ],
)
def test_moments_are_brought_to_utc(written: str | None, meant: dt.datetime) -> None:
    assert arrived({**VISIT, "occurred_at": written}).event.occurred_at == meant


def test_the_digest_is_of_what_was_said_and_not_of_how() -> None:
    one = arrived(b'{"type":"visit","external_id":"x","labels":["a"]}')
    same = arrived(b' {"labels" : ["a"], "external_id":"x", "type":"visit", "channel": ""}')
    other = arrived(b'{"type":"visit","external_id":"x","labels":["b"]}')
    assert one.digest == same.digest != other.digest
    assert one.id != same.id


def test_the_stored_body_says_nothing_of_the_member() -> None:
    event = {**PURCHASE, "member": {"card": "4711", "email": "ada@example.com"}}
    arrival = arrived(event)
    assert b"4711" not in arrival.body
    assert b"ada" not in arrival.body
    assert arrival.reference is not None
    assert arrival.reference.identifiers == (("card", "4711"), ("email", "ada@example.com"))


def test_a_program_without_an_event_type_names_those_it_knows() -> None:
    with pytest.raises(InvalidEvent) as caught:
        arrived({**VISIT, "type": "nope"}, live(events=EVENTS))
    hint = str(caught.value.errors[0].hint)
    assert hint.startswith("It knows purchase, visit, ")
    assert hint.endswith(", survey.")
    assert "member_enrolled" not in hint
