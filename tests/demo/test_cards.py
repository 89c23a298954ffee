"""The demo's gift cards: each cent is somewhere, whatever happens to a card."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from demo.conftest import BERLIN, SECRET, publish_test
from demo.test_friends import sent, somebody
from setia.db.engine import Database
from setia.demo import cards as module
from setia.demo.cards import CardFigures
from setia.demo.running import Tally, run_year
from setia.demo.year import Happening
from setia.events.verify import verify

OPENED = dt.datetime(2026, 3, 2, 9, tzinfo=BERLIN)
KINDS = ["gift", "sorry"]


def left_of(told: CardFigures) -> Decimal:
    """What must be left, by everything else."""
    come = Decimal(told.sold) + Decimal(told.granted) + Decimal(told.refunded)
    return come - Decimal(told.used) - Decimal(told.expired) - Decimal(told.paid_out)


def a_life(database: Database, days: int, back: tuple[int, int] | None = None) -> Tally:
    """Somebody buys a card on the first day, and a coffee on so many days afterwards; `back`: an order and its line."""
    person = somebody(1, OPENED)
    coffee: dict[str, Any] = {"sku": "CAP-1", "category": "coffee", "quantity": 1, "amount": "3.60", "labels": []}
    card: dict[str, Any] = {"sku": "GIF-20", "category": "gift_card", "quantity": 1, "amount": "20.00"}
    lines = [coffee, {**card, "labels": ["gift_card"]}]
    at = OPENED + dt.timedelta(minutes=3)
    year = [
        Happening(OPENED, person, None),
        Happening(at, person, sent("purchase", person, at, "order-0", currency="EUR", lines=lines)),
    ]
    for day in range(1, days + 1):
        at = OPENED + dt.timedelta(days=day)
        event = sent("purchase", person, at, f"order-{day}", currency="EUR", lines=[coffee])
        year.append(Happening(at, person, event))
    if back is not None:
        order, line = back
        later = OPENED + dt.timedelta(days=order, minutes=40)
        data = {"order": f"order-{order}", "lines": [{"line": line}]}
        year.append(Happening(later, person, sent("return", person, later, "back", data=data)))
        year.sort(key=lambda happening: happening.at)
    program_id = publish_test(database)
    last = OPENED.date() + dt.timedelta(days=max(days, 100))
    return run_year(database, program_id, year, last, lambda _: None, secret=SECRET)


def always(monkeypatch: pytest.MonkeyPatch, **chances: float) -> None:
    """Let the dice fall as the test wants them."""
    settled = {"_FOR_ONESELF": 0.0, "_FOR_A_MEMBER": 0.0, "_WENT_WRONG": 0.0, "_LOST": 0.0, "_FORGOTTEN": 0.0}
    for name, chance in (settled | {"_SHOWN": 1.0, "_COMPLAINED": 0.0} | chances).items():
        monkeypatch.setattr(module, name, chance)


def figures(ran: Tally, database: Database) -> dict[str, CardFigures]:
    assert verify(database).findings == []
    found = ran.cards.figures(KINDS)
    for told in found.values():
        assert left_of(told) == Decimal(told.left)
    return found


def test_a_member_shows_a_card_until_it_is_empty(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    always(monkeypatch, _FOR_ONESELF=1.0)
    told = figures(a_life(database, 8), database)

    assert list(told) == ["gift"]
    assert (told["gift"].cards, told["gift"].sold, told["gift"].used, told["gift"].left) == (
        1,
        "20.00",
        "20.00",
        "0.00",
    )


def test_a_guest_pays_and_brings_back(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    always(monkeypatch, _COMPLAINED=0.5, _PAUSE=3)
    told = figures(a_life(database, 60), database)["gift"]

    assert Decimal(told.used) > 0
    assert Decimal(told.refunded) > 0


def test_a_card_that_is_lost_is_blocked_and_its_rest_goes_to_another(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    always(monkeypatch, _FOR_ONESELF=1.0, _LOST=1.0, _REPLACED=1.0, _PAUSE=1)
    told = figures(a_life(database, 30), database)["gift"]

    assert (told.cards, told.blocked, told.sold, told.used, told.left) == (2, 1, "20.00", "20.00", "0.00")


def test_without_the_receipt_its_rest_stays_where_it_is(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    always(monkeypatch, _FOR_ONESELF=1.0, _SHOWN=-1.0, _LOST=1.0, _REPLACED=-1.0, _PAUSE=1)
    told = figures(a_life(database, 30), database)["gift"]

    assert (told.cards, told.blocked, told.used, told.left) == (1, 1, "0.00", "20.00")


def test_a_sale_that_is_undone_is_paid_out_and_nobody_uses_the_card(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    always(monkeypatch, _LOST=1.0, _PAUSE=1)
    told = figures(a_life(database, 30, back=(0, 1)), database)["gift"]

    assert (told.cards, told.blocked, told.used, told.paid_out, told.left) == (1, 0, "0.00", "20.00", "0.00")


def test_what_is_given_for_a_mishap_ends_after_90_days(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    always(monkeypatch, _FORGOTTEN=1.0, _SHOWN=-1.0, _WENT_WRONG=1.0)
    told = figures(a_life(database, 2), database)

    assert (told["sorry"].cards, told["sorry"].granted, told["sorry"].expired) == (3, "15.00", "15.00")
    assert (told["gift"].left, told["gift"].expired) == ("20.00", "0.00")


def test_a_return_brings_money_back_to_the_card_that_paid(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    always(monkeypatch, _FOR_ONESELF=1.0)
    ran = a_life(database, 2, back=(1, 0))

    told = figures(ran, database)["gift"]
    assert (told.used, told.refunded, told.left) == ("7.20", "3.60", "16.40")
    [carried] = ran.cards._pockets[1]
    assert carried.left == 1640, "whoever carries it knows, and shows it again"
