"""The data of events about offers: what is refused, where, and with what to do."""

from typing import Any

import pytest

from events.shop import arrived, live
from setia.events.problems import InvalidEvent
from setia.program.definition import Program

EARN = {"earn": {"stars": 5}}
PROGRAM = live(
    campaigns={
        "card": {"on": "purchase", "offer": {"valid_for": "7d", "progress": {"orders": 3}}, **EARN},
        "asked": {"on": "purchase", "offer": {"activation": "by_member", "progress": {"orders": 3}}, **EARN},
        "all": {"on": "purchase", "offer": {"for": "everybody", "progress": {"orders": 3}}, **EARN},
        "off": {"on": "purchase", "enabled": False, "offer": {"progress": {"orders": 3}}, **EARN},
        "base": {"on": "purchase", **EARN},
    }
)


def event(kind: str, data: Any) -> dict[str, Any]:
    return {"type": kind, "external_id": "1", "member": {"card": "1"}, "data": data}


def faults(kind: str, data: Any) -> list[tuple[str, str, str | None]]:
    with pytest.raises(InvalidEvent) as caught:
        arrived(event(kind, data), PROGRAM)
    return [(item.pointer, item.message, item.hint) for item in caught.value.errors]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("offer_assigned", {"offer": "card"}),
        ("offer_assigned", {"offer": "card", "starts": "2026-03-01T00:00:00Z", "ends": "2026-03-02T00:00:00+01:00"}),
        ("offer_assigned", {"offer": "card", "starts": None}),
        ("offer_activated", {"offer": "asked"}),
        ("offer_activated", {"instance": "evt_1"}),
        ("offer_activated", {"offer": "asked", "instance": "evt_1"}),
    ],
)
def test_what_is_read(kind: str, data: Any) -> None:
    assert arrived(event(kind, data), PROGRAM).event.data == data


@pytest.mark.parametrize("kind", ["offer_assigned", "offer_activated"])
def test_data_is_needed(kind: str) -> None:
    empty: dict[str, Any] = {}
    for nothing in (None, empty):
        [(pointer, message, hint)] = faults(kind, nothing)
        assert (pointer, message) == ("#/data", "It is missing.")
        assert "the name of the campaign" in str(hint)


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        (
            "offer_assigned",
            {"starts": "2026-03-01T00:00:00Z"},
            [("#/data/offer", "It is missing.", "The program has: all, asked, card.")],
        ),
        (
            "offer_assigned",
            {"offer": "gone"},
            [
                (
                    "#/data/offer",
                    "The program has no offer 'gone' that is switched on.",
                    "It has: asked, card.",
                )
            ],
        ),
        ("offer_assigned", {"offer": "off"}, "switched on"),
        ("offer_assigned", {"offer": "base"}, "no offer 'base'"),
        ("offer_assigned", {"offer": "all"}, "for everybody, and needs no assignment"),
        ("offer_activated", {"offer": "card"}, "needs no activation"),
        ("offer_activated", {"offer": "gone"}, "no offer 'gone'"),
        ("offer_activated", {"instance": None}, "names neither an offer nor an instance"),
        ("offer_assigned", {"offer": 7}, "a text of 1 to 200 characters"),
        ("offer_assigned", {"offer": "x" * 201}, "a text of 1 to 200 characters"),
        ("offer_assigned", {"offer": "card", "until": "x"}, "no such field"),
        ("offer_activated", {"offer": "asked", "ends": "2026-03-01T00:00:00Z"}, "no such field"),
    ],
)
def test_what_is_refused(kind: str, data: Any, expected: Any) -> None:
    found = faults(kind, data)
    if isinstance(expected, str):
        [(_, message, _)] = found
        assert expected in message
    else:
        assert [pointer for pointer, _, _ in found] == [pointer for pointer, _, _ in expected]
        assert [message for _, message, _ in found] == [message for _, message, _ in expected]


def test_the_hint_lists_the_offers_that_can_be_meant() -> None:
    assert faults("offer_assigned", {"offer": "gone"})[0][2] == "It has: asked, card."
    assert faults("offer_activated", {"offer": "gone"})[0][2] == "It has: asked."
    nothing = live(campaigns={"base": {"on": "purchase", **EARN}})
    with pytest.raises(InvalidEvent) as caught:
        arrived(event("offer_assigned", {"offer": "card"}), nothing)
    assert caught.value.errors[0].hint == "It has: none."


@pytest.mark.parametrize(
    ("window", "pointer"),
    [
        ({"starts": "2026-03-01"}, "#/data/starts"),
        ({"starts": "2026-03-01T00:00:00"}, "#/data/starts"),
        ({"ends": "tomorrow"}, "#/data/ends"),
        ({"ends": "1899-12-31T00:00:00Z"}, "#/data/ends"),
        ({"ends": "9999-12-31T23:59:59Z"}, "#/data/ends"),
        ({"starts": "0001-01-01T00:00:00+14:00"}, "#/data/starts"),
        ({"starts": "2026-03-02T00:00:00Z", "ends": "2026-03-02T00:00:00Z"}, "#/data/ends"),
        ({"starts": "2026-03-02T00:00:00Z", "ends": "2026-03-01T00:00:00Z"}, "#/data/ends"),
    ],
)
def test_windows_are_moments_with_an_offset_in_their_order(window: dict[str, str], pointer: str) -> None:
    [(found, _, hint)] = faults("offer_assigned", {"offer": "card", **window})
    assert found == pointer
    assert hint


def test_other_events_every_program_has_have_no_data() -> None:
    [(pointer, message, _)] = faults("visit", {"offer": "card"})
    assert (pointer, message) == ("#/data", "A visit has no `data`.")


def test_the_program_is_one_that_can_be_published() -> None:
    assert isinstance(PROGRAM.compiled.definition, Program)
    assert sorted(PROGRAM.compiled.offers) == ["all", "asked", "card"]
