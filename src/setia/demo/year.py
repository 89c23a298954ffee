"""A year of the coffee bar: who comes when, and buys what."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from setia.demo.menu import BEANS, FOOD, GIFT_CARDS, HOT, ICED, ICED_SHARE, OAT_SURCHARGE, Article
from setia.demo.people import Person, draw_friendship, draw_person

DAYS = 365

# How busy it is, against an ordinary day. December has presents and cold fingers, August has holidays.
_MONTHS = (0.95, 0.97, 1.0, 1.0, 1.02, 0.98, 0.90, 0.86, 1.02, 1.06, 1.12, 1.40)
_WEEKDAYS = (1.0, 1.1, 1.0, 1.0, 1.1, 0.9, 0.55)
_BUSIEST = max(_MONTHS) * max(_WEEKDAYS)
_CLOSED = frozenset({(1, 1), (12, 25), (12, 26)})

_HOURS = range(7, 19)
_WORKDAY = (9, 16, 13, 8, 6, 8, 10, 8, 7, 6, 5, 4)
_HAPPY_TUESDAY = (9, 16, 13, 8, 6, 8, 10, 15, 14, 12, 5, 4)
_WEEKEND = (1, 4, 9, 14, 15, 12, 9, 10, 11, 8, 5, 2)
_TUESDAY, _SATURDAY = 1, 5
_DECEMBER = 12
_BROUGHT_BACK = 0.012
"""How often the last thing on the receipt comes back."""
_FOR_THE_STARS = 0.06
"""How often that of the first receipt does, of somebody whom a member has brought."""


class Happening(NamedTuple):
    """One thing that happens. `event` is the body of `POST /v1/events`; None for an enrolment."""

    at: dt.datetime
    person: Person
    event: dict[str, Any] | None


def draw_year(seed: int, members: int, last: dt.date, zone: ZoneInfo) -> list[Happening]:
    """Everything that happens to so many members in the year that ends with `last`, in the order of time."""
    first = last - dt.timedelta(days=DAYS - 1)
    happenings: list[Happening] = []
    people: list[Person] = []
    for number in range(1, members + 1):
        person, dice = draw_person(seed, number, first, last, zone)
        person = draw_friendship(seed, person, people)
        people.append(person)
        happenings.append(Happening(person.enrolled_at, person, None))
        happenings += _life(person, dice, last, zone)
    # Python's sort is stable: what happens to one member in the same second stays in order.
    happenings.sort(key=lambda happening: (happening.at, happening.person.number))
    for number, happening in enumerate(happenings, 1):
        if happening.event is not None:
            happening.event["external_id"] = f"demo-{number:07}"
            if happening.event["type"] == "return":
                # Numbers go by time, so the order has its own by now.
                happening.event["data"]["order"] = happening.event["data"]["order"]["external_id"]
    return happenings


def _life(person: Person, dice: random.Random, last: dt.date, zone: ZoneInfo) -> Iterator[Happening]:
    """What one member does after enrolling: a purchase at once, or on another day, and then as BG/NBD has it."""
    at = person.enrolled_at + dt.timedelta(minutes=3)
    if person.comes_later:
        begins = _next_day(person, dice, at.date(), last)
        if begins is None:
            return
        at = _moment(dice, begins, zone)
    purchases = 0
    while True:
        is_tempted = person.brought_by is not None and not purchases
        yield from _visit(person, dice, at, _FOR_THE_STARS if is_tempted else _BROUGHT_BACK)
        purchases += 1
        if person.has_app and purchases == 6 and dice.random() < 0.3:
            review = {"store": dice.choice(("apple", "google")), "rating": dice.choices((3, 4, 5), (1, 3, 6))[0]}
            moment = at + dt.timedelta(minutes=25)
            yield Happening(moment, person, _event("app_review", person, moment, "app", data=review))
        if dice.random() < person.leaves:
            return
        following = _next_day(person, dice, at.date(), last)
        if following is None:
            return
        at = _moment(dice, following, zone)


def _next_day(person: Person, dice: random.Random, day: dt.date, last: dt.date) -> dt.date | None:
    """The day of the next visit; None when the year is over first.

    Visits come at the rate of the busiest day there can be, and on quieter days most of them are dropped again.
    """
    here = float(day.toordinal()) + 1
    while True:
        here += dice.expovariate(person.visits_a_day * _BUSIEST)
        if here >= last.toordinal() + 1:
            return None
        day = dt.date.fromordinal(int(here))
        busy = 0.0 if (day.month, day.day) in _CLOSED else _MONTHS[day.month - 1] * _WEEKDAYS[day.weekday()]
        if dice.random() * _BUSIEST < busy:
            return day


def _moment(dice: random.Random, day: dt.date, zone: ZoneInfo) -> dt.datetime:
    pattern: Sequence[int] = _WORKDAY
    if day.weekday() == _TUESDAY:
        pattern = _HAPPY_TUESDAY
    elif day.weekday() >= _SATURDAY:
        pattern = _WEEKEND
    hour = dice.choices(_HOURS, pattern)[0]
    return dt.datetime(day.year, day.month, day.day, hour, dice.randrange(60), dice.randrange(60), tzinfo=zone)


def _visit(person: Person, dice: random.Random, at: dt.datetime, regrets: float) -> Iterator[Happening]:
    """A purchase; some with the app say hello first, with a check-in."""
    bar = person.bar if dice.random() < 0.9 else "mitte"
    if person.has_app and dice.random() < 0.35:
        before = at - dt.timedelta(minutes=2)
        yield Happening(before, person, _event("visit", person, before, "app", location=bar))
    lines = _basket(person, dice, at)
    bought = _event("purchase", person, at, "store", location=bar, currency="EUR", lines=lines)
    yield Happening(at, person, bought)
    # Dice of their own, so that who brings something back buys what everybody else would.
    if random.Random(f"{person.number}/{at}").random() < regrets:  # noqa: S311 - made-up people, no secrets
        later = at + dt.timedelta(minutes=40)
        data = {"order": bought, "lines": [{"line": len(lines) - 1}]}
        yield Happening(later, person, _event("return", person, later, "store", data=data))


def _event(kind: str, person: Person, at: dt.datetime, channel: str, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "source": "demo",
        "member": {"card": person.card},
        "occurred_at": at.astimezone(dt.UTC).isoformat(),
        "channel": channel,
        **more,
    }


def _basket(person: Person, dice: random.Random, at: dt.datetime) -> list[dict[str, Any]]:
    lines = [_drink(person, dice, at.month)]
    if dice.random() < 0.12:
        lines.append(_drink(person, dice, at.month))
    if dice.random() < person.hungry:
        lines.append(_line(_choose(dice, FOOD), 2 if dice.random() < 0.15 else 1, []))
    if dice.random() < 0.05:
        lines.append(_line(_choose(dice, BEANS), 1, []))
    if dice.random() < (0.06 if at.month == _DECEMBER else 0.008):
        lines.append(_line(_choose(dice, GIFT_CARDS), 1, ["gift_card"]))
    return lines[:4]


def _drink(person: Person, dice: random.Random, month: int) -> dict[str, Any]:
    article = _choose(dice, ICED if dice.random() < ICED_SHARE[month - 1] else HOT)
    quantity = dice.choices((1, 2, 4), (88, 10, 2))[0]
    labels = ["own_cup"] if dice.random() < person.own_cup else []
    if article.has_milk and dice.random() < person.oat:
        labels.append("oat_milk")
        sku = article.sku.replace("-1", "-OAT")
        article = article._replace(sku=sku, name=f"{article.name}, oat milk", price=article.price + OAT_SURCHARGE)
    return _line(article, quantity, labels)


def _choose(dice: random.Random, articles: Sequence[Article]) -> Article:
    return dice.choices(articles, [article.popularity for article in articles])[0]


def _line(article: Article, quantity: int, labels: list[str]) -> dict[str, Any]:
    cents = article.price * quantity
    return {
        "sku": article.sku,
        "name": article.name,
        "category": article.category,
        "quantity": quantity,
        "amount": f"{cents // 100}.{cents % 100:02}",
        "labels": labels,
    }
