"""Triggers of time as they are written: one kind each, days that fit, and the same program back."""

from typing import Any

import pytest
from pydantic import ValidationError

from setia.program.definition import Program
from setia.program.expression_language import DECIMAL, INT, STRING, Message
from setia.program.triggers import Recurrence, Trigger, trigger_data
from setia.program.vocabulary import event_type, vocabulary
from setia.program.yaml_text import load
from setia.program.yaml_writer import dump

KINDS: dict[str, Any] = {
    "birthday": {
        "attribute": "birthday",
        "registered": "30d",
        "late": "after_lead",
        "leap_day": "03-01",
        "at": "08:30",
    },
    "anniversary": {"every": "6mo"},
    "schedule": {"every": "month", "on": "last"},
    "inactive": {"after": "60d", "counting": ["purchase", "visit"]},
    "expiring": {"points": "stars", "before": "14d", "at_least": 2},
    "date": {"attribute": "trial_ends", "before": "3d"},
    "offer_ending": {"offers": ["c"], "before": "2d"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_trigger_is_written_as_it_is_read(kind: str) -> None:
    # given a program with a trigger that campaigns use
    whole = {
        "program": {"id": "shop", "name": "Shop", "currency": "EUR"},
        "points": {"stars": {"decimals": 2}},
        "members": {"attributes": {"birthday": {"type": "date"}, "trial_ends": {"type": "date"}}},
        "triggers": {"t": {kind: KINDS[kind], "for": '"vip" in member.tags', "late_by": "2d"}},
        "campaigns": {"c": {"on": "t", "tag": ["told"]}},
    }
    program = Program.model_validate(whole)
    assert (program.triggers["t"].kind, program.triggers["t"].what) == (kind, getattr(program.triggers["t"], kind))

    # then YAML and JSON give it back
    assert load(dump(program)).require() == program
    assert Program.model_validate_json(program.model_dump_json(by_alias=True)) == program
    # and conditions know what it tells
    data = event_type(program, "t").fields["data"]
    assert isinstance(data, Message)
    assert set(data.fields) == set(trigger_data(program.triggers["t"]))


def test_amounts_have_the_type_of_the_points() -> None:
    for decimals, expected in ((0, INT), (2, DECIMAL)):
        program = Program.model_validate(
            {
                "program": {"id": "shop", "name": "Shop", "currency": "EUR"},
                "points": {"stars": {"decimals": decimals}},
                "triggers": {"t": {"expiring": {"points": "stars"}}, "u": {"expiring": {"points": "unknown"}}},
            }
        )
        found = [vocabulary(program, name).variables["event"] for name in ("t", "u", "tier_ending")]
        soon, unknown, tier = (one.fields["data"] for one in found if isinstance(one, Message))
        assert isinstance(soon, Message)
        assert isinstance(unknown, Message)
        assert isinstance(tier, Message)
        assert soon.fields == {"points": STRING, "amount": expected, "date": STRING}
        assert unknown.fields["amount"] == DECIMAL
        assert (tier.fields["missing"], tier.fields["falls_to"]) == (DECIMAL, STRING)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "exactly one of birthday, anniversary"),
        ({"birthday": {}, "anniversary": {}}, "exactly one of"),
        ({"birthday": {}, "late_by": "2y"}, "a year late at most"),
        ({"birthday": {"registered": "12h"}}, "no number of days"),
        ({"birthday": {"at": "24:00"}}, "not a time of day"),
        ({"birthday": {"at": 900}}, "not a time of day"),
        ({"anniversary": {"every": "0d"}}, "comes after some time"),
        ({"anniversary": {"every": "90min"}}, "no number of days"),
        ({"inactive": {"after": "0d"}}, "lasts some time"),
        ({"inactive": {"after": "60d", "counting": []}}, "at least 1"),
        ({"expiring": {"points": "stars", "before": "0d"}}, "some time before"),
        ({"expiring": {"points": "stars", "before": "3h"}}, "no number of days"),
        ({"date": {"attribute": "a", "before": "1d", "after": "1d"}}, "either `before`"),
        ({"date": {"attribute": "a", "after": "3h"}}, "no number of days"),
        ({"offer_ending": {"before": "3h"}}, "no number of days"),
        ({"schedule": {"every": "day", "on": "mon"}}, "remove it"),
        ({"schedule": {"every": "week", "on": 1}}, "day of the week"),
        ({"schedule": {"every": "month", "on": 32}}, "1 to 31"),
        ({"schedule": {"every": "month", "on": True}}, "valid string"),
        ({"schedule": {"every": "quarter", "on": 2}}, "1 or last"),
        ({"schedule": {"every": "year", "on": "02-30"}}, "day of the year"),
        ({"schedule": {"every": "year", "on": "1224"}}, "day of the year"),
        ({"schedule": "daily"}, "valid dictionary"),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Trigger.model_validate(wrong)


def test_a_day_may_be_a_number() -> None:
    assert Recurrence.model_validate({"every": "month", "on": 15}).on == "15"
    assert [Recurrence(every="week", on=on).weekday for on in (None, "sun")] == ["mon", "sun"]


@pytest.mark.parametrize("name", ["purchase", "tier_ending", "review"])
def test_a_trigger_has_no_name_of_an_event(name: str) -> None:
    with pytest.raises(ValidationError, match="has the name of an event"):
        Program.model_validate(
            {
                "program": {"id": "shop", "name": "Shop", "currency": "EUR"},
                "points": {"stars": {}},
                "events": {"review": {}},
                "triggers": {name: {"anniversary": {}}},
            }
        )
