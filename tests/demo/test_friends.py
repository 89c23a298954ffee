"""Friends of a made-up member, each with another fate, through the real way in."""

import datetime as dt

from demo.conftest import BERLIN, LAST, SECRET, publish_test
from setia.db.engine import Database
from setia.demo.friends import ReferralFigures
from setia.demo.people import Person, draw_person
from setia.demo.running import Tally, run_year
from setia.demo.year import DAYS, Happening
from setia.events.verify import verify

FIRST = LAST - dt.timedelta(days=DAYS - 1)
DAY = dt.timedelta(days=1)


def somebody(number: int, enrolled_at: dt.datetime, brought_by: int | None = None, device: str | None = None) -> Person:
    person, _ = draw_person(7, number, FIRST, LAST, BERLIN)
    return person._replace(enrolled_at=enrolled_at, brought_by=brought_by, device=device)


def bought(person: Person, at: dt.datetime, amount: str, name: str) -> Happening:
    line = {"sku": "CAP-1", "category": "coffee", "quantity": 1, "amount": amount, "labels": []}
    return Happening(at, person, sent("purchase", person, at, name, currency="EUR", lines=[line]))


def sent(kind: str, person: Person, at: dt.datetime, name: str, **more: object) -> dict[str, object]:
    about = {"type": kind, "source": "demo", "member": {"card": person.card}, "occurred_at": at.isoformat()}
    return {**about, "external_id": name, **more}


def run(database: Database, year: list[Happening], last: dt.date) -> Tally:
    program_id = publish_test(database)
    year.sort(key=lambda happening: happening.at)
    return run_year(database, program_id, year, last, lambda _: None, secret=SECRET)


def test_each_friend_has_a_fate(database: Database) -> None:
    opened = dt.datetime(2026, 3, 2, 9, tzinfo=BERLIN)
    host = somebody(1, opened, device="telephone-1")
    year = [Happening(opened, host, None)]

    def friend(number: int, amount: str, device: str | None = None) -> Happening:
        came = opened + number * DAY
        person = somebody(number, came, 1, device)
        year.append(Happening(came, person, None))
        order = bought(person, came + dt.timedelta(minutes=3), amount, f"order-{number}")
        year.append(order)
        return order

    for number in range(2, 8):
        friend(number, "3.90")
    friend(8, "2.20")
    friend(9, "3.90", "telephone-1")
    back = friend(10, "3.90")
    later = back.at + dt.timedelta(minutes=40)
    data = {"order": "order-10", "lines": [{"line": 0}]}
    year.append(Happening(later, back.person, sent("return", back.person, later, "back", data=data)))
    year.append(Happening(opened + 11 * DAY, somebody(11, opened + 11 * DAY, 1), None))

    soon = run(database, list(year), opened.date() + 30 * DAY)

    assert soon.friends.figures(["friends", "others"]) == {
        "friends": ReferralFigures(
            joined=10,
            waiting=1,
            won=3,
            capped=3,
            void=2,
            blocked=1,
            reasons={"below_minimum": 1, "returned": 1, "same_device": 1},
            # The last three friends are rewarded all the same: the cap is the host's.
            points={"stars": 3 * 100 + 6 * 50},
        ),
        "others": ReferralFigures(),
    }
    assert verify(database).findings == []


def test_who_never_comes_is_waited_for_until_the_time_is_over(database: Database) -> None:
    opened = dt.datetime(2026, 3, 2, 9, tzinfo=BERLIN)
    year = [
        Happening(opened, somebody(1, opened), None),
        Happening(opened + DAY, somebody(2, opened + DAY, 1), None),
    ]

    ran = run(database, year, opened.date() + 90 * DAY)

    assert ran.friends.figures(["friends"])["friends"] == ReferralFigures(joined=1, void=1, reasons={"too_late": 1})
