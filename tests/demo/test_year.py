"""The made-up year: the same from the same seed, in order, and like a year of a coffee bar."""

import datetime as dt
from collections import Counter
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from setia.demo.menu import BEANS, FOOD, GIFT_CARDS, HOT, ICED
from setia.demo.year import Happening, draw_year

BERLIN = ZoneInfo("Europe/Berlin")
LAST = dt.date(2026, 9, 30)


@pytest.fixture(scope="module")
def year() -> list[Happening]:
    return draw_year(7, 300, LAST, BERLIN)


def kinds(year: list[Happening]) -> dict[str, int]:
    return dict(Counter("enrolment" if event is None else event["type"] for _, _, event in year))


def purchases(year: list[Happening]) -> list[Happening]:
    return [happening for happening in year if happening.event and happening.event["type"] == "purchase"]


def test_the_same_seed_gives_the_same_year(year: list[Happening]) -> None:
    assert draw_year(7, 300, LAST, BERLIN) == year
    assert draw_year(8, 300, LAST, BERLIN) != year


def test_fewer_members_are_the_first_of_more(year: list[Happening]) -> None:
    few = draw_year(7, 20, LAST, BERLIN)

    def told(happenings: list[Happening]) -> list[tuple[object, ...]]:
        """All but external ids, which count the events of everybody; a return names one in its data."""
        own = {"external_id", "data"}
        return [
            (at, person, event and {name: value for name, value in event.items() if name not in own})
            for at, person, event in happenings
        ]

    assert told(few) == told([happening for happening in year if happening.person.number <= 20])


def test_everything_is_in_order_and_within_the_year(year: list[Happening]) -> None:
    moments = [happening.at for happening in year]
    assert moments == sorted(moments)
    assert moments[0].date() >= dt.date(2025, 10, 1)
    assert moments[-1].date() == LAST
    enrolled: set[int] = set()
    for _, person, event in year:
        if event is None:
            enrolled.add(person.number)
        assert person.number in enrolled, "nobody does anything before enrolling"
    assert len(enrolled) == 300


def test_external_ids_are_unique_and_in_order(year: list[Happening]) -> None:
    ids = [event["external_id"] for _, _, event in year if event is not None]
    assert ids == sorted(set(ids))


def test_how_much_happens(year: list[Happening]) -> None:
    assert kinds(year) == {"enrolment": 300, "purchase": 6341, "visit": 851, "app_review": 32, "return": 82}


def test_friends_are_brought_by_who_was_there_before(year: list[Happening]) -> None:
    people = {person.number: person for _, person, event in year if event is None}
    friends = [person for person in people.values() if person.brought_by is not None]
    assert 15 < len(friends) < 60
    for friend in friends:
        host = people[friend.brought_by or 0]
        assert host.number < friend.number
        assert host.enrolled_at.date() < friend.enrolled_at.date()
    hosts = Counter(friend.brought_by for friend in friends)
    assert max(hosts.values()) > 2, "some bring many"
    alike = [one for one in friends if one.device is not None and one.device == people[one.brought_by or 0].device]
    assert 0 < len(alike) < len(friends) / 4
    later = {friend.number for friend in friends if friend.comes_later}
    assert 0 < len(later) < len(friends) / 2
    first: dict[int, dt.date] = {}
    for happening in purchases(year):
        first.setdefault(happening.person.number, happening.at.date())
    assert all(first[one] > people[one].enrolled_at.date() for one in later & first.keys())


def test_what_comes_back_was_bought_before_by_the_same_member(year: list[Happening]) -> None:
    bought: dict[str, Happening] = {}
    for happening in year:
        event = happening.event
        if event is not None and event["type"] == "return":
            order = bought[event["data"]["order"]]
            assert order.event is not None
            assert (order.person, order.at) == (happening.person, happening.at - dt.timedelta(minutes=40))
            assert event["data"]["lines"] == [{"line": len(order.event["lines"]) - 1}]
        elif event is not None:
            bought[event["external_id"]] = happening


def test_some_leave_and_some_come_all_the_time(year: list[Happening]) -> None:
    counts = sorted(Counter(happening.person.number for happening in purchases(year)).values())
    assert len(counts) == 300
    assert counts[0] == 1
    assert counts[150] < sum(counts) / 300 < counts[-1] / 5, "few make most of the business"


def test_seasons(year: list[Happening]) -> None:
    by_month = Counter(happening.at.month for happening in purchases(year))
    iced = Counter(
        happening.at.month
        for happening in purchases(year)
        if happening.event and any(line["category"] == "iced" for line in happening.event["lines"])
    )
    assert iced[1] / by_month[1] < 0.1
    assert iced[7] / by_month[7] > 0.3
    assert by_month[12] > by_month[1]


def test_baskets_are_from_the_menu_and_add_up(year: list[Happening]) -> None:
    menu = {article.sku: article for article in (*HOT, *ICED, *FOOD, *BEANS, *GIFT_CARDS)}
    labels: Counter[str] = Counter()
    for happening in purchases(year):
        assert happening.event is not None
        lines = happening.event["lines"]
        assert 1 <= len(lines) <= 4
        for line in lines:
            oat = line["sku"].endswith("-OAT")
            article = menu[line["sku"].replace("-OAT", "-1")]
            assert oat == ("oat_milk" in line["labels"])
            assert not oat or article.has_milk
            assert Decimal(line["amount"]) * 100 == (article.price + 40 * oat) * line["quantity"]
            labels.update(line["labels"])
    assert set(labels) == {"oat_milk", "own_cup", "gift_card"}
