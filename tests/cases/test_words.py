"""Spellings, other words for the same, and what sources call a refusal."""

from __future__ import annotations

import pytest

from cases.basket import converted
from cases.draft import Draft
from cases.levels import with_those_of
from cases.made_up import case
from cases.narrowing import aliased, boundary
from cases.published import Data, NotExpressible
from cases.refusals import named
from cases.spellings import expected, respelled
from cases.timeline import Timeline
from cases.words import MODES, meaning, plain


@pytest.mark.parametrize(
    ("text", "word"), [("Points_Earned", "points earned"), ("half-up", "half up"), ("  a  B ", "a b"), (True, "true")]
)
def test_spellings_of_one_word_are_one_word(text: object, word: str) -> None:
    assert plain(text) == word


def test_a_meaning_is_found_in_any_spelling_and_its_lack_told() -> None:
    assert [meaning(MODES, word, "rounding") for word in ("Round-Up", "drop fractions", "half_even")] == [
        "ceil",
        "floor",
        "half_even",
    ]
    with pytest.raises(NotExpressible, match="rounding: sideways"):
        meaning(MODES, "sideways", "rounding")


def test_other_words_for_the_same() -> None:
    rule = {"kind": "fixed", "date_from": "2026-01-01", "category": "food", "limit_per_customer": 2, "points": 1}
    assert aliased(rule) == {
        "kind": "fixed",
        "from": "2026-01-01",
        "categories": ["food"],
        "max_per_member": 2,
        "points": 1,
    }
    assert aliased({"limit": 3}, limit="stock") == {"stock": 3}
    for twice in ({"from": "2026-01-01", "starts": "2026-01-02"}, {"starts": 1, "valid_from": 2}):
        with pytest.raises(NotExpressible, match="beside from"):
            aliased(twice)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-01", "2026-05-01"),
        ("today+2 days", "2026-03-06"),
        ("2026-05-01T10:00:00", "2026-05-01T10:00:00+00:00"),
        ("2026-05-01 10:00:00", "2026-05-01T10:00:00+00:00"),
        ("2026-05-01T10:00:00+02:00", "2026-05-01T10:00:00+02:00"),
    ],
)
def test_a_boundary_is_a_day_or_a_moment_with_its_offset(text: str, moment: str) -> None:
    assert boundary(text) == moment


@pytest.mark.parametrize(
    ("wanted", "reasons", "found"),
    [
        ("not_enough_points", ["points_missing"], "not_enough_points"),
        ("Insufficient balance", ["insufficient_points"], "Insufficient balance"),
        ("sold out", ["out_of_stock"], "sold out"),
        ("limit_reached", ["closed_now", "member_limit"], "limit_reached"),
        ("not_enough_points", ["out_of_stock"], "out_of_stock"),
        ("expired", ["unknown"], "unknown"),
        ("used_up", ["used_up"], "used_up"),
        ("something_else", ["unknown"], "unknown"),
    ],
)
def test_a_refusal_has_the_name_of_the_case_only_where_it_means_that(
    wanted: str, reasons: list[str], found: str
) -> None:
    assert named(wanted, reasons) == found


def test_a_case_is_read_in_the_words_that_rules_know() -> None:
    item = {"product": "a", "quantity": 2, "price": "1.00"}
    other = case({"levels": [{"name": "A"}], "note": "x"}, [{"type": "Buy", "user": "m"}], {})
    assert respelled(other).events == [{"type": "Buy", "member": "m"}]
    assert respelled(other).program == {"tiers": [{"name": "A"}]}
    bought = {"type": "sale", "customer": "m", "basket": [item], "comment": "y"}
    [read] = respelled(case({}, [bought], {})).events
    assert read == {"type": "purchase", "member": "m", "items": [{"sku": "a", "qty": 2, "unit_price": "1.00"}]}
    with pytest.raises(NotExpressible, match="customer beside member"):
        respelled(case({}, [{"type": "visit", "member": "a", "customer": "b"}], {}))


def test_what_is_expected_has_other_words_too_but_its_own_come_first() -> None:
    assert [expected(word, {"level": None}) for word in ("level", "amount_due", "wonder")] == [
        "level",
        "to_pay",
        "wonder",
    ]


def test_time_passes_before_somebody_looks() -> None:
    events: list[Data] = [{"type": "visit", "date": "2026-01-01"}]
    events += [{"type": "query", "days": 2}, {"type": "query", "weeks": 1}]
    timeline = Timeline(case({}, events, {}))
    moments = [timeline.at(event) for event in events]
    assert [str(moment.date()) for moment in moments] == ["2026-01-01", "2026-01-03", "2026-01-10"]


def test_levels_that_a_table_leaves_out_are_lower_unless_their_names_say_otherwise() -> None:
    assert with_those_of([{"type": "purchase", "tier": "none"}], ["Leaf", "Tree"]) == ["none", "Leaf", "Tree"]
    assert with_those_of([{"type": "birthday", "tier": "Gold"}], ["Silver"]) == ["Silver", "Gold"]
    members = {"type": "state", "members": {"a": {"tier": "Gold"}, "b": {"points": 1}}}
    assert with_those_of([members], []) == ["Gold"]


def test_the_till_changes_money_where_promotions_take_some_off() -> None:
    draft = Draft(case({"base_currency": "EUR", "rates": {"USD": "0.9"}}, [], {}))
    item = {"sku": "a", "qty": 2, "unit_price": "10.00"}
    foreign = {"type": "purchase", "currency": "USD", "items": [item], "shipping": "3.33"}
    assert converted(draft, foreign) == foreign
    draft.has_discounts = True
    changed = {**foreign, "currency": "EUR", "items": [{**item, "unit_price": "9.00"}], "shipping": "3.00"}
    assert converted(draft, foreign) == changed
    with pytest.raises(NotExpressible, match="a purchase in JPY without a rate to EUR"):
        converted(draft, {**foreign, "currency": "JPY"})
