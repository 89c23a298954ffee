"""Short forms, and the settings that contradict each other."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from setia.program.campaigns import Campaign, Multiply, Schedule
from setia.program.currencies import minor_digits
from setia.program.definition import Program
from setia.program.earning import Earn
from setia.program.events import EventType
from setia.program.expiry import Expiry
from setia.program.limits import Limit
from setia.program.names import Period, Text
from setia.program.points import Rounding
from setia.program.tiers import TierSet
from setia.program.windows import Window


@pytest.mark.parametrize(
    ("short", "kind", "points", "per"),
    [
        (50, "fixed", Decimal(50), None),
        (Decimal("1.5"), "fixed", Decimal("1.5"), None),
        (1.5, "fixed", Decimal("1.5"), None),
        ("1 per 1.00", "per_amount", Decimal(1), Decimal("1.00")),
        ("0.03 per 1", "per_amount", Decimal("0.03"), Decimal(1)),
        ("2 per whole 5.00", "per_whole_amount", Decimal(2), Decimal(5)),
        ("3 per unit", "per_unit", Decimal(3), None),
        ("10 per line", "per_line", Decimal(10), None),
    ],
)
def test_rates(short: object, kind: str, points: Decimal, per: Decimal | None) -> None:
    rate = Earn.model_validate(short)
    assert (rate.kind, rate.points, rate.per) == (kind, points, per)
    assert Earn.model_validate(rate.model_dump()) == rate
    assert Earn.model_validate_json(rate.model_dump_json()) == rate


def test_a_rate_may_be_an_expression() -> None:
    rate = Earn.model_validate({"expression": "event.total * 0.05"})
    assert (rate.kind, rate.expression) == ("expression", "event.total * 0.05")
    assert rate.model_dump() == {"expression": "event.total * 0.05"}


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "1 per",
        "1 per whole unit",
        "one per 1.00",
        "-1",
        -1,
        True,
        "1 per 0",
        {"kind": "per_amount", "points": 1},
        1e300,
    ],
)
def test_what_is_no_rate(wrong: object) -> None:
    with pytest.raises(ValidationError):
        Earn.model_validate(wrong)


@pytest.mark.parametrize(
    ("short", "text"),
    [
        ({"per": "member", "every": "day", "uses": 1}, "member day uses=1 earn=None"),
        ({"per": "member", "earn": "5.50 cash"}, "member ever uses=None earn=5.50 cash"),
        ({"in_all": "100000 stars"}, "all ever uses=None earn=100000 stars"),
        ({"in_all": "1000 uses", "every": "month"}, "all month uses=1000 earn=None"),
    ],
)
def test_limits(short: dict[str, Any], text: str) -> None:
    limit = Limit.model_validate(short)
    assert f"{limit.per} {limit.every} uses={limit.uses} earn={limit.earn}" == text
    assert limit.model_dump() == short


@pytest.mark.parametrize("wrong", [{}, {"uses": 1, "earn": "1 a"}, {"in_all": 5}, {"in_all": "5"}, {"uses": -1}])
def test_what_is_no_limit(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Limit.model_validate(wrong)


@pytest.mark.parametrize("text", ["30min", "12h", "14d", "2w", "6mo", "1y"])
def test_periods(text: str) -> None:
    assert str(Period.model_validate(text)) == text


@pytest.mark.parametrize("wrong", ["14", "d", "1.5d", "-1d", "1 day", "100000d", 14])
def test_what_is_no_period(wrong: object) -> None:
    with pytest.raises(ValidationError):
        Period.model_validate(wrong)


def test_a_plain_rounding_mode_is_for_the_campaign() -> None:
    assert Rounding.model_validate("ceil") == Rounding(mode="ceil", scope="campaign")
    assert Rounding(mode="ceil").model_dump_json() == '"ceil"'
    assert Rounding(scope="line").model_dump_json() == '{"mode":"floor","scope":"line"}'


def test_windows() -> None:
    assert Window.model_validate("rolling 12mo").length == Period(count=12, unit="months")
    fixed = Window.model_validate({"starts": "2026-01-01", "ends": "2026-12-31"})
    assert (fixed.kind, fixed.starts, fixed.ends) == ("fixed", dt.date(2026, 1, 1), dt.date(2026, 12, 31))


@pytest.mark.parametrize(
    "wrong",
    ["12mo", "rolling", "rolling 12h", {"starts": "2026-01-01"}, {"starts": "2026-02-01", "ends": "2026-01-01"}],
)
def test_what_is_no_window(wrong: object) -> None:
    with pytest.raises(ValidationError):
        Window.model_validate(wrong)


@pytest.mark.parametrize(
    ("given", "by"),
    [(2, Decimal(2)), (1.25, Decimal("1.25")), ("1.25", Decimal("1.25")), ("a ? 2 : 1", "a ? 2 : 1")],
)
def test_factors_are_exact_however_they_are_written(given: object, by: object) -> None:
    assert Multiply.model_validate({"by": given}).by == by


@pytest.mark.parametrize("wrong", [-1, 1001, True, Decimal("1e-9999999"), float("nan")])
def test_what_is_no_factor(wrong: object) -> None:
    with pytest.raises(ValidationError):
        Multiply.model_validate({"by": wrong})


def test_schedules_tell_days_from_moments() -> None:
    schedule = Schedule.model_validate({"starts": "2026-03-01", "ends": "2026-03-01T12:00:00+01:00"})
    assert schedule.starts == dt.date(2026, 3, 1)
    assert schedule.ends == dt.datetime(2026, 3, 1, 11, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "wrong",
    [
        {"starts": "2026-03-01T12:00:00"},
        {"starts": 20260301},
        {"from": "16:00"},
        {"from": "25:00", "to": "26:00"},
        {"from": 960, "to": 1000},
        {"days": ["tuesday"]},
    ],
)
def test_what_is_no_schedule(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Schedule.model_validate(wrong)


def test_a_campaign_cannot_keep_others_out_and_apply_always() -> None:
    with pytest.raises(ValidationError, match="`exclusive` keeps others out and `always` lets nobody"):
        Campaign.model_validate({"on": "visit", "tag": ["seen"], "exclusive": True, "always": True})


def test_a_campaign_needs_an_effect() -> None:
    with pytest.raises(ValidationError, match="a campaign needs an effect"):
        Campaign.model_validate({"on": "visit"})
    assert Campaign.model_validate({"on": "visit", "tag": ["seen"]}).triggers == ("visit",)


@pytest.mark.parametrize(
    "wrong", [{"inactivity": "1y", "after": "1y"}, {"align": "month_end"}, {"inactivity": "1y", "on": ["12-31"]}]
)
def test_what_is_no_expiry(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Expiry.model_validate(wrong)


@pytest.mark.parametrize(
    "levels",
    [
        [],
        [{"id": "a", "from": 1}],
        [{"id": "a", "from": 0}, {"id": "a", "from": 1}],
        [{"id": "a", "from": 0}, {"id": "b", "from": 0}],
        [{"id": "a", "from": 0}, {"id": "b", "from": 5, "keep_from": 6}],
    ],
)
def test_what_is_no_ladder(levels: list[dict[str, Any]]) -> None:
    with pytest.raises(ValidationError):
        TierSet.model_validate({"id": "t", "metric": "spend", "levels": levels})


def test_a_json_schema_holds_plain_numbers() -> None:
    data = {
        "type": "object",
        "properties": {"a": {"multipleOf": Decimal("0.01"), "enum": [Decimal("2.0"), [Decimal(1)]]}},
    }
    read = EventType.model_validate({"data": data}).data["properties"]["a"]
    assert (read["multipleOf"], read["enum"]) == (0.01, [2, [1]])
    assert {type(read["multipleOf"]), type(read["enum"][0])} == {float, int}


def test_texts_fall_back_from_language_to_language() -> None:
    text = Text.model_validate({"en": "Coffee", "de": "Kaffee"})
    assert [text.in_locale(locale) for locale in ("de", "de-AT", "ms")] == ["Kaffee", "Kaffee", "Coffee"]
    assert Text.model_validate("Latte").in_locale("de") == "Latte"
    assert Text.model_validate({"ms": "Kopi"}).in_locale("de") == "Kopi"


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("UYW", 4)])
def test_currencies_have_their_decimals(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits


@pytest.mark.parametrize(
    "change",
    [
        {"program": {"id": "x", "name": "X", "currency": "EUX"}},
        {"program": {"id": "x", "name": "X", "currency": "EUR", "timezone": "Europe/Bonn"}},
        {"points": {}},
        {"points": {"stars": {"name": "a\0b"}}},
        {"events": {"e": {"data": {"type": "object", "title": "\ud800"}}}},
        {"events": {"purchase": {}}},
        {"tiers": [{"id": "t", "metric": "spend", "levels": [{"id": "a", "from": 0}]}] * 2},
        {"tiers": [{"id": "t", "metric": "money", "levels": [{"id": "a", "from": 0}]}]},
    ],
)
def test_what_is_no_program(change: dict[str, Any]) -> None:
    data = {"program": {"id": "x", "name": "X", "currency": "EUR"}, "points": {"stars": {}}}
    Program.model_validate(data)
    with pytest.raises(ValidationError):
        Program.model_validate(data | change)
