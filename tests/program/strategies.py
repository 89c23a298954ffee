"""Whole programs for property tests: valid ones, with nothing that `lint` calls an error."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from setia.program.definition import Program

Data = dict[str, Any]

_IDS = ("a", "base", "gold_bonus", "x9", "stars", "on", "yes", "no", "null_", "e5", "campaign_with_a_long_name")
identifiers = st.sampled_from(_IDS) | st.from_regex(r"[a-z][a-z0-9_]{0,11}", fullmatch=True).filter(
    lambda name: name not in {"true", "false", "null", "in", "all", "uses", "purchase", "visit", "member_enrolled"}
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30) | st.sampled_from(
    [
        "",
        " ",
        "yes",
        "null",
        "1.5",
        "2026-01-01",
        "a: b",
        "# no",
        "it's",
        '"q"',
        "ü",
        "- x",
        "\u2028",
        "a\nb\n",
        "\\",
        "%",
    ]
)
multilingual = texts | st.dictionaries(st.sampled_from(["en", "de", "ms", "pt-BR", "zh-Hant"]), texts, max_size=3)
periods = st.builds("{}{}".format, st.integers(1, 400), st.sampled_from(["min", "h", "d", "w", "mo", "y"]))
long_periods = st.builds("{}{}".format, st.integers(1, 400), st.sampled_from(["d", "w", "mo", "y"]))


def amounts(digits: int, most: int = 10_000) -> st.SearchStrategy[Decimal]:
    """Exact amounts from 0 to `most` with at most `digits` decimals."""
    return st.integers(0, most * 10**digits).map(lambda units: Decimal(units).scaleb(-digits))


def _optional(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Data]:
    return st.fixed_dictionaries({}, optional=parts)


_money = _optional(
    of=st.sampled_from(["goods", "order"]),
    tax=st.sampled_from(["included", "excluded"]),
    discounts=st.sampled_from(["after", "before"]),
    gift_cards_sold=st.booleans(),
    paid_with_points=st.booleans(),
)
_rounding = st.sampled_from(["floor", "ceil", "half_up", "half_even"]) | _optional(
    mode=st.sampled_from(["floor", "ceil", "half_up"]), scope=st.sampled_from(["line", "campaign", "event"])
)
_expiry: st.SearchStrategy[Data] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"after": long_periods}, optional={"align": st.sampled_from(["month_end", "year_end"])}),
    st.fixed_dictionaries({"inactivity": long_periods}, optional={"extended_by": st.just(["purchase", "visit"])}),
    st.fixed_dictionaries({"on": st.lists(st.sampled_from(["12-31", "06-30", "02-29"]), max_size=2, unique=True)}),
    st.fixed_dictionaries({"on": st.just(["2026-12-31", "06-30"])}, optional={"on_is": st.just("gone")}),
    st.fixed_dictionaries(
        {"inactivity": long_periods, "decay": st.just({"every": "1mo", "percent": "12.5"})},
        optional={"must_earn": st.booleans()},
    ),
    st.fixed_dictionaries(
        {"by_tier": st.just({"status": {"gold": "1y"}})}, optional={"first_day_counts": st.booleans()}
    ),
)
_attributes = st.dictionaries(
    identifiers,
    _optional(
        type=st.sampled_from(["string", "integer", "number", "boolean", "date", "string_list"]),
        name=multilingual,
        personal=st.booleans(),
    ),
    max_size=3,
)
_data_schemas = st.fixed_dictionaries(
    {"type": st.just("object")},
    optional={
        "properties": st.dictionaries(
            identifiers,
            st.sampled_from(
                [
                    {"type": "string"},
                    {"type": "integer", "minimum": 0},
                    {"type": "number", "multipleOf": Decimal("0.01")},
                    {"type": "array", "items": {"type": "boolean"}},
                    {"type": "object", "properties": {"deep": {"type": "string"}}},
                ]
            ),
            max_size=3,
        ),
        "additionalProperties": st.booleans(),
    },
)
_days = st.lists(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1, unique=True)
_dates = st.dates(dt.date(2024, 1, 1), dt.date(2030, 12, 31)).map(str)
_schedules = st.builds(
    lambda days, clock, starts: {**days, **clock, **starts},
    _optional(days=_days),
    st.sampled_from([{}, {"from": "14:00", "to": "17:00"}, {"from": "22:30", "to": "02:00"}]),
    _optional(starts=_dates | st.just("2026-03-01T00:00:00+01:00")),
)
_ANY_EVENT = (
    "true",
    'member.first_purchase || time.weekday == 2 && location.region == "north"',
    'event.channel == "app" && !("vip" in member.tags)',
    "member.lifetime.spend >= 100 &&\n  member.lifetime.orders > 1\n",
)
_PURCHASE = (*_ANY_EVENT, "event.total >= 20.5", 'event.lines.exists(l, l.sku == "A")')
_LINES = ('!("gift_card" in line.labels)', 'line.category == "coffee"', "line.quantity > 1")


@st.composite
def program_data(draw: st.DrawFn) -> Data:
    """Draw a valid definition as plain values: what YAML or JSON would hold."""
    currency, digits = draw(st.sampled_from([("EUR", 2), ("JPY", 0), ("KWD", 3), ("MYR", 2)]))
    points: Data = {}
    for name in draw(st.lists(identifiers, min_size=1, max_size=3, unique=True)):
        points[name] = draw(
            _optional(
                name=multilingual,
                decimals=st.integers(0, 4),
                rounding=_rounding,
                spendable=st.booleans(),
                available_after=periods,
                expiry=_expiry,
                negative=st.sampled_from(["block", "allow", "recover"]),
                value=amounts(4, 10),
            )
        )
    events = draw(st.dictionaries(identifiers, _optional(name=multilingual, data=_data_schemas), max_size=2))
    tiers = draw(_tiers(list(points), digits))
    if not any(one["id"] == "status" and any(level["id"] == "gold" for level in one["levels"]) for one in tiers):
        for point_type in points.values():
            # An end by level names a level that there is.
            if "by_tier" in point_type.get("expiry", {}):
                del point_type["expiry"]
    groups = draw(
        st.dictionaries(identifiers, _optional(choose=st.sampled_from(["priority", "best_value"])), max_size=2)
    )
    names = draw(st.lists(identifiers, max_size=6, unique=True))
    context = _Context(points, list(events), tiers, list(groups), digits)
    campaigns: Data = {}
    for name in names:
        campaigns[name] = draw(_campaigns(context, [key for key, other in campaigns.items() if other.get("earn")]))
    identity = draw(
        st.fixed_dictionaries(
            {"id": st.just("prog-1"), "name": multilingual, "currency": st.just(currency)},
            optional={
                "timezone": st.sampled_from(["Europe/Berlin", "Asia/Kuala_Lumpur", "UTC"]),
                "locale": st.sampled_from(["en", "de", "pt-BR"]),
                "description": multilingual,
            },
        )
    )
    sections: Data = draw(
        _optional(
            money=_money,
            members=_optional(
                attributes=_attributes,
                identifiers=st.permutations(["external_id", "card", "phone", "email"]),
                unknown=st.sampled_from(["refuse", "enrol", "keep"]),
                phone_region=st.sampled_from(["DE", "MY"]),
            ),
            locations=st.dictionaries(
                texts, _optional(name=multilingual, labels=st.lists(texts, max_size=2), region=texts), max_size=2
            ),
            late=_optional(accept_within=periods, future=periods),
            triggers=_triggers(list(points)),
            referrals=st.dictionaries(identifiers, _referrals, max_size=2),
        )
    )
    stacking = {"multipliers": draw(st.sampled_from(["sum_of_bonuses", "product", "best"])), "groups": groups}
    return {
        "program": identity,
        "points": points,
        "events": events,
        "tiers": tiers,
        "stacking": stacking,
        "campaigns": campaigns,
        **sections,
    }


_wins = (
    st.integers(1, 99)
    | st.builds("{} per {}".format, st.integers(1, 99), st.sampled_from(["day", "week", "month", "quarter", "year"]))
    | st.fixed_dictionaries({"uses": st.integers(1, 99)}, optional={"every": st.sampled_from(["day", "ever"])})
)
_referrals = st.builds(
    lambda terms, bought: terms | bought,
    _optional(
        name=multilingual,
        enabled=st.booleans(),
        after=periods,
        caps=_optional(referrer=_wins | st.lists(_wins, max_size=3)),
        levels=st.integers(1, 5),
        blocks=st.lists(st.sampled_from(["email", "phone", "card", "address", "device", "payment"]), unique=True),
        distinct=st.lists(st.sampled_from(["device", "payment"]), max_size=2, unique=True),
        link=st.sampled_from(["https://shop.example/?ref={code}", "{code}"]),
    ),
    _optional(
        reward_at=st.sampled_from(["first_purchase", "purchase"]), at_least=st.integers(0, 500), within=long_periods
    )
    | st.just({"reward_at": "enrolled"}),
)


def _triggers(points: list[str]) -> st.SearchStrategy[Data]:
    """Triggers of time whose names no event has."""
    kinds: st.SearchStrategy[Data] = st.one_of(
        st.builds(lambda every: {"anniversary": {"every": every}}, long_periods),
        st.builds(lambda on: {"schedule": {"every": "month", "on": on}}, st.integers(1, 31) | st.just("last")),
        st.builds(lambda after: {"inactive": {"after": after, "counting": ["visit"]}}, long_periods),
        st.builds(lambda name: {"expiring": {"points": name, "before": "2w"}}, st.sampled_from(points)),
    )
    more = _optional(name=multilingual, **{"for": st.just('"a" in member.tags'), "late_by": st.just("2d")})
    both = st.builds(lambda kind, rest: kind | rest, kinds, more)
    return st.dictionaries(st.sampled_from(["time_1", "time_2"]), both, max_size=2)


class _Context:
    """What campaigns may name."""

    def __init__(self, points: Data, events: list[str], tiers: list[Data], groups: list[str], digits: int) -> None:
        self.points = points
        self.events = events
        self.tiers = tiers
        self.groups = groups
        self.digits = digits


@st.composite
def _tiers(draw: st.DrawFn, points: list[str], digits: int) -> list[Data]:
    sets: list[Data] = []
    for name in draw(st.lists(identifiers, max_size=2, unique=True)):
        point_type = draw(st.sampled_from(points))
        metric = draw(st.sampled_from(["spend", "orders", "visits", f"points.{point_type}.earned"]))
        fine = digits if metric == "spend" else 0
        bounds = sorted(set(draw(st.lists(amounts(fine), max_size=3))) - {Decimal(0)})
        levels: list[Data] = [{"id": "level_0", "from": 0}]
        levels += [{"id": f"level_{number}", "from": bound} for number, bound in enumerate(bounds, 1)]
        window = draw(
            st.sampled_from(["lifetime", "calendar_year", "rolling 12mo", "anniversary"])
            | st.just({"starts": "2026-01-01", "ends": "2026-12-31"})
        )
        extra = draw(_optional(downgrade=st.sampled_from(["one_level", "to_fit", "never"]), grace=long_periods))
        sets.append({"id": name, "metric": metric, "window": window, "levels": levels, **extra})
    return sets


@st.composite
def _campaigns(draw: st.DrawFn, context: _Context, earning: list[str]) -> Data:
    trigger = draw(st.sampled_from(["purchase", "purchase", "visit", "member_enrolled", *context.events]))
    purchase = trigger == "purchase"
    campaign: Data = {"on": draw(st.sampled_from([trigger, [trigger]]))}
    campaign |= draw(
        _optional(
            name=multilingual,
            enabled=st.booleans(),
            schedule=_schedules,
            when=st.sampled_from(_PURCHASE if purchase else _ANY_EVENT),
            priority=st.integers(-5, 5),
            exclusive=st.booleans(),
            tag=st.lists(identifiers, max_size=2),
            limits=st.lists(_limits(list(context.points)), max_size=2),
            offer=_offers(trigger),
            **({"lines": st.sampled_from(_LINES), "basis": _money} if purchase else {}),
            **({"group": st.sampled_from(context.groups)} if context.groups else {}),
        )
    )
    multiplies: bool = draw(st.booleans())
    names_tier: bool = draw(st.booleans())
    if earning and multiplies:
        factor = st.just(2) | amounts(4, 10) | st.sampled_from(["member.first_purchase ? 2 : 1.5"])
        campaign["multiply"] = {"of": draw(st.sampled_from([*earning, earning, "all"])), "by": draw(factor)}
    else:
        names = st.sampled_from(list(context.points))
        campaign["earn"] = draw(st.dictionaries(names, _rates(context.digits, purchase=purchase), min_size=1))
    if context.tiers and names_tier:
        tier_set = draw(st.sampled_from(context.tiers))
        campaign["tier"] = {tier_set["id"]: draw(st.sampled_from(tier_set["levels"]))["id"]}
    if draw(st.booleans()):
        campaign["effect"] = {"name": "gate", "values": {"open": "true", "who": "member.id"}}
    return campaign


def _offers(trigger: str) -> st.SearchStrategy[Data]:
    events: list[Data] = [{"events": 1}, {"events": 3}]
    bought: list[Data] = [{"spend": 20}, {"orders": 2}, {"units": Decimal("2.5")}, {"items": ["A", "B"]}]
    progress = events + {"purchase": bought, "visit": [{"visits": 2}]}.get(trigger, [])
    either: list[Data] = [{"for": "everybody"}, {"valid_for": "30d", "end": "inclusive"}, {"valid_for": "36h"}, {}]
    return st.builds(
        lambda whose, settings: whose | settings,
        st.sampled_from(either),
        _optional(
            activation=st.sampled_from(["automatic", "by_member"]),
            progress=st.sampled_from(progress),
            repeat=st.sampled_from(["once", "always", {"times": 3}]),
            carry_over=st.booleans(),
        ),
    )


def _rates(digits: int, *, purchase: bool) -> st.SearchStrategy[Any]:
    fixed = amounts(2) | st.integers(0, 1000) | st.just({"expression": "member.lifetime.spend * 0.05"})
    if not purchase:
        return fixed
    money = amounts(digits, 100).filter(bool)
    return st.one_of(
        fixed,
        st.builds("{} per {}".format, amounts(2), money),
        st.builds("{} per whole {}".format, amounts(2), money),
        st.builds("{} per {}".format, amounts(2), st.sampled_from(["unit", "line"])),
        st.just({"expression": "line.amount * 0.05"}),
    )


def _limits(points: list[str]) -> st.SearchStrategy[Data]:
    some = st.builds("{} {}".format, amounts(2).filter(bool), st.sampled_from(points))
    every = st.sampled_from(["day", "week", "month", "quarter", "year", "ever"])
    return st.one_of(
        st.fixed_dictionaries({"per": st.just("member"), "uses": st.integers(1, 99)}, optional={"every": every}),
        st.fixed_dictionaries({"per": st.just("member"), "earn": some}, optional={"every": every}),
        st.fixed_dictionaries({"in_all": some | st.just("100 uses")}, optional={"every": every}),
    )


def programs() -> st.SearchStrategy[Program]:
    """Whole valid programs."""
    return program_data().map(Program.model_validate)
