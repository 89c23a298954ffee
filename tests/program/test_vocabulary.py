"""Which names expressions may use, for each trigger."""

import pytest

from setia.program.definition import Program
from setia.program.expression_language import BOOL, DECIMAL, DYN, INT, STRING, ListOf, Message, Type
from setia.program.vocabulary import vocabulary

PROGRAM = Program.model_validate(
    {
        "program": {"id": "x", "name": "X", "currency": "EUR"},
        "points": {"stars": {}, "cash": {"decimals": 2}},
        "members": {
            "attributes": {
                "city": {},
                "born": {"type": "date"},
                "age": {"type": "integer"},
                "height": {"type": "number"},
                "newsletter": {"type": "boolean"},
                "likes": {"type": "string_list"},
                "phone_number": {"personal": True},
            }
        },
        "events": {
            "review": {
                "data": {
                    "type": "object",
                    "properties": {
                        "text": {"type": "string"},
                        "rating": {"type": "integer"},
                        "price": {"type": "number"},
                        "public": {"type": "boolean"},
                        "words": {"type": "array", "items": {"type": "string"}},
                        "place": {"type": "object", "properties": {"city": {"type": "string"}}},
                        "free": {"type": "object"},
                        "mixed": {"type": ["string", "null"]},
                        "anything": True,
                        "not-a-name": {"type": "string"},
                    },
                }
            }
        },
        "tiers": [{"id": "status", "metric": "spend", "levels": [{"id": "green", "from": 0}]}],
    }
)


def fields(type_: Type) -> dict[str, Type]:
    assert isinstance(type_, Message)
    return dict(type_.fields)


def test_the_variables_stand_in_a_fixed_order() -> None:
    assert list(vocabulary(PROGRAM, "visit").variables) == ["event", "member", "location", "time"]
    assert list(vocabulary(PROGRAM, "purchase", with_line=True).variables) == [
        "event",
        "member",
        "location",
        "time",
        "line",
    ]


def test_only_a_purchase_has_money_and_lines() -> None:
    common = ["id", "type", "source", "occurred_at", "channel", "location", "labels"]
    purchase = ["currency", "total", "gross", "shipping", "tax", "discount", "quantity", "lines", "tenders"]
    assert list(fields(vocabulary(PROGRAM, "visit").variables["event"])) == common
    assert list(fields(vocabulary(PROGRAM, "member_enrolled").variables["event"])) == common
    assert list(fields(vocabulary(PROGRAM, "purchase").variables["event"])) == common + purchase


def test_the_data_of_an_event_follow_its_json_schema() -> None:
    data = fields(fields(vocabulary(PROGRAM, "review").variables["event"])["data"])
    place = data.pop("place")
    assert data == {
        "text": STRING,
        "rating": INT,
        "price": DECIMAL,
        "public": BOOL,
        "words": ListOf(STRING),
        "free": DYN,
        "mixed": DYN,
        "anything": DYN,
    }
    assert fields(place) == {"city": STRING}


def test_members_have_attributes_without_the_personal_ones() -> None:
    member = fields(vocabulary(PROGRAM, "visit").variables["member"])
    assert fields(member["attributes"]) == {
        "city": STRING,
        "born": STRING,
        "age": INT,
        "height": DECIMAL,
        "newsletter": BOOL,
        "likes": ListOf(STRING),
    }


def test_points_are_whole_numbers_unless_they_have_decimals() -> None:
    member = fields(vocabulary(PROGRAM, "visit").variables["member"])
    amounts = {"stars": INT, "cash": DECIMAL}
    assert fields(member["points"]) == amounts
    assert fields(member["pending"]) == amounts
    assert fields(fields(member["lifetime"])["earned"]) == amounts
    assert fields(member["tiers"]) == {"status": STRING}


def test_an_unknown_event_has_no_names() -> None:
    with pytest.raises(KeyError):
        vocabulary(PROGRAM, "purchse")


def test_equal_programs_share_a_vocabulary() -> None:
    assert hash(vocabulary(PROGRAM, "review")) == hash(vocabulary(PROGRAM.model_copy(deep=True), "review"))
    assert vocabulary(PROGRAM, "review") == vocabulary(PROGRAM.model_copy(deep=True), "review")


def test_names_that_join_alike_stay_apart() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "object", "properties": {"b_c": {"type": "object", "properties": {"x": {"type": "string"}}}}},
            "a_b": {"type": "object", "properties": {"c": {"type": "object", "properties": {"y": {"type": "string"}}}}},
        },
    }
    program = PROGRAM.model_copy(update={"events": {"e": PROGRAM.events["review"].model_copy(update={"data": schema})}})
    assert "Data" in vocabulary(program, "e").messages
