"""Limits on discounted units on the real database: races for a budget, returns, verify and rebuild."""

from __future__ import annotations

from api_world import World
from coupons.test_races import MEMBERS, race
from coupons.till import bought, give_back, open_shop, order, rows
from events.shop import booked, enrolled
from setia.events.rebuild import rebuild_states
from setia.events.verify import verify

LATTES = {
    "on": "purchase",
    "lines": 'line.sku == "latte"',
    "limits": [{"in_all": "5 units", "every": "day"}, {"per": "member", "every": "month", "units": 2}],
    "discount": {"amount": "1.00", "on": "lines"},
}


def lattes(quantity: int) -> list[dict[str, object]]:
    return [{"sku": "latte", "amount": f"{4 * quantity}.00", "quantity": quantity}]


def test_no_more_units_are_discounted_than_there_are_for_all(world: World) -> None:
    open_shop(world, lattes=LATTES)
    for card in range(2, MEMBERS + 1):
        enrolled(world, card=str(card))
    carts = [order(f"o{card}", lines=lattes(3), member={"card": str(card)}) for card in range(1, MEMBERS + 1)]
    answers = race(world, carts)
    units = [effect.units for answer in answers for effect in answer.outcome.discounts]
    assert sorted(units) == [1, 2, 2]
    assert rows(world, "SELECT key, used FROM budget") == [("lattes#0", 5)]
    assert verify(world.database).findings == []


def test_what_comes_back_can_be_discounted_again(world: World) -> None:
    open_shop(world, lattes=LATTES)
    first = bought(world, "1", lines=lattes(3))
    assert [one["amount"] for one in first["discounts"]] == ["2.00"]
    assert bought(world, "2", lines=lattes(3))["discounts"] == []
    # two of the three stay, and have the discount; then one does
    booked(world, give_back("r1", "1", lines=[{"line": 0, "quantity": 1}]))
    assert rows(world, "SELECT used FROM budget") == [(2,)]
    booked(world, give_back("r2", "1", lines=[{"line": 0, "quantity": 1}]))
    assert rows(world, "SELECT used FROM budget") == [(1,)]
    assert [one["amount"] for one in bought(world, "3", lines=lattes(3))["discounts"]] == ["1.00"]
    # the order that comes again takes its unit of what is left, and more than there is: it had been promised
    booked(world, give_back("c", "r2") | {"type": "cancel"})
    assert verify(world.database).findings == []
    assert rebuild_states(world.database, world.program_id).differences == []


def test_verify_counts_units_by_the_journal(world: World) -> None:
    open_shop(world, lattes=LATTES)
    bought(world, "1", lines=lattes(3))
    booked(world, give_back("r", "1", lines=[{"line": 0, "quantity": 2}]))
    with world.database.raw_connection() as connection:
        connection.execute(b"UPDATE budget SET used = used + 1")
    [finding] = verify(world.database).findings
    assert (finding.kind, finding.expected, finding.found) == ("budget_used", "1", "2")
