"""One sentence for each effect, in three languages."""

# ruff: noqa: RUF001 - the multiplication sign is what members read

from __future__ import annotations

import pytest

from engine.shop_world import at, campaigns, decided, happening, line, member, program, purchase
from setia.engine import sentences as sentences_module
from setia.engine.compiled import CompiledProgram
from setia.engine.decision import Decision
from setia.engine.sentences import adjustment_sentence, sentences
from setia.engine.wording import campaign_name, language_of, number

NAMED = """
points:
  stars: {name: {en: stars, de: Sterne, ms: bintang}}
  cash: {name: {en: euros, de: Euro, ms: euro}, decimals: 2}
tiers:
  - {id: t, metric: spend, levels: [{id: green, from: 0}, {id: gold, name: {en: Gold, ms: Emas}, from: 5000},
      {id: black, from: 90000}]}
campaigns:
"""


def told(compiled: CompiledProgram, decision: Decision) -> list[list[str]]:
    return [sentences(compiled, decision.outcome, decision.explanation, locale) for locale in ("en", "de-AT", "ms")]


def story(rows: str, event: object = None, points: dict[str, int] | None = None) -> list[list[str]]:
    compiled = program(NAMED + "\n".join(f"  {row.strip()}" for row in rows.strip().splitlines()))
    return told(compiled, decided(compiled, event or purchase(1234567), member(balances=points)))  # type: ignore[arg-type]  # a purchase, where one is given


BASE = "base: {on: purchase, name: {en: Every euro, de: Jeder Euro, ms: Setiap euro}, earn: {stars: 1 per 1.00}}"


@pytest.mark.parametrize(
    ("rate", "english", "german", "malay"),
    [
        ("1500", "1,500 stars for “a”.", "1.500 Sterne für „a“.", "1,500 bintang untuk “a”."),
        (
            "1 per 1.00",
            "10,000 stars for “a”: 1 per 1.00 on 10,000.00 EUR.",
            "10.000 Sterne für „a“: 1 je 1,00 auf 10.000,00 EUR.",
            "10,000 bintang untuk “a”: 1 setiap 1.00 atas 10,000.00 EUR.",
        ),
        (
            "2 per whole 5.00",
            "4,000 stars for “a”: 2 per full 5.00 on 10,000.00 EUR.",
            "4.000 Sterne für „a“: 2 je volle 5,00 auf 10.000,00 EUR.",
            "4,000 bintang untuk “a”: 2 setiap penuh 5.00 atas 10,000.00 EUR.",
        ),
        (
            "3 per unit",
            "7 stars for “a”: 3 per unit, 2.5 counted.",
            "7 Sterne für „a“: 3 je Stück, 2,5 gezählt.",
            "7 bintang untuk “a”: 3 setiap unit, 2.5 dikira.",
        ),
        (
            "10 per line",
            "10 stars for “a”: 10 per line, 1 counted.",
            "10 Sterne für „a“: 10 je Position, 1 gezählt.",
            "10 bintang untuk “a”: 10 setiap baris, 1 dikira.",
        ),
        (
            "{expression: event.total * 0.5}",
            "5,000 stars for “a”.",
            "5.000 Sterne für „a“.",
            "5,000 bintang untuk “a”.",
        ),
    ],
)
def test_points_earned(rate: str, english: str, german: str, malay: str) -> None:
    compiled = program(NAMED.replace("from: 5000", "from: 80000") + f"  a: {{on: purchase, earn: {{stars: {rate}}}}}")
    decision = decided(compiled, purchase(line(1_000_000, quantity="2.5")))
    assert told(compiled, decision) == [[english], [german], [malay]]


def test_an_expression_that_looks_like_a_rate_is_none() -> None:
    compiled = campaigns("""a: {on: purchase, earn: {stars: {expression: 'event.channel == "x per y" ? 1 : 2'}}}""")
    assert told(compiled, decided(compiled, purchase(100)))[0] == ["2 stars for “a”."]


def test_points_with_decimals() -> None:
    assert story("a: {on: purchase, earn: {cash: 0.5 per 1.00}}", purchase(250000)) == [
        ["1,250.00 euros for “a”: 0.5 per 1.00 on 2,500.00 EUR."],
        ["1.250,00 Euro für „a“: 0,5 je 1,00 auf 2.500,00 EUR."],
        ["1,250.00 euro untuk “a”: 0.5 setiap 1.00 atas 2,500.00 EUR."],
    ]


def test_a_multiplier() -> None:
    rows = BASE + "\ngold: {on: purchase, name: {en: Gold bonus, de: Goldbonus}, multiply: {of: base, by: 1.25}}"
    assert [part[1] for part in story(rows, purchase(10000))] == [
        "25 more stars thanks to “Gold bonus”: ×1.25 on “Every euro”.",
        "25 Sterne mehr dank „Goldbonus“: ×1,25 auf „Jeder Euro“.",
        "25 lagi bintang dengan “Gold bonus”: ×1.25 atas “Setiap euro”.",
    ]


def test_a_multiplier_on_a_third() -> None:
    rows = "a: {on: purchase, earn: {stars: 1 per 3.00}}\nm: {on: purchase, multiply: {of: a, by: 1.5}}"
    assert story(rows, purchase(1000))[1] == [
        "3 Sterne für „a“: 1 je 3,00 auf 10,00 EUR.",
        "2 Sterne mehr dank „m“: ×1,5 auf „a“.",
    ]


def test_a_multiplier_names_the_base_that_it_raised() -> None:
    # the first base earned nothing, and its place is not another's
    rows = (
        "small: {on: purchase, earn: {stars: 1 per 100.00}}\n"
        "big: {on: purchase, earn: {stars: 5}}\n"
        "m: {on: purchase, multiply: {of: all, by: 2}}"
    )
    assert story(rows, purchase(100))[0] == ["5 stars for “big”.", "5 more stars thanks to “m”: ×2 on “big”."]


def test_a_factor_below_one_has_no_sentence_of_its_own() -> None:
    rows = BASE + "\nless: {on: purchase, earn: {stars: 3}, multiply: {of: base, by: 0.5}}"
    assert story(rows, purchase(10000))[0] == [
        "50 stars for “Every euro”: 1 per 1.00 on 100.00 EUR.",
        "3 stars for “less”.",
    ]


def test_what_a_limit_cut() -> None:
    assert story("a: {on: purchase, earn: {stars: 2000}, limits: [{earn: 1500 stars}]}", purchase(100)) == [
        ["1,500 stars for “a”. A limit allowed 1,500 of 2,000."],
        ["1.500 Sterne für „a“. Ein Limit ließ 1.500 von 2.000 zu."],
        ["1,500 bintang untuk “a”. Had membenarkan 1,500 daripada 2,000."],
    ]


@pytest.mark.parametrize(("balance", "taken"), [(50, 30), (10, 10), (0, 0)])
def test_points_taken(balance: int, taken: int) -> None:
    short = taken != 30
    assert story("a: {on: purchase, deduct: {stars: 30}}", purchase(100), {"stars": balance}) == [
        [f"{taken} stars taken for “a”." + (f" Only {taken} of 30 were there." if short else "")],
        [f"{taken} Sterne abgezogen für „a“." + (f" Von 30 waren nur {taken} da." if short else "")],
        [f"{taken} bintang ditolak untuk “a”." + (f" Hanya {taken} daripada 30 yang ada." if short else "")],
    ]


def test_earned_and_taken_by_one_campaign() -> None:
    rows = "a: {on: purchase, earn: {stars: 1 per 1.00}, deduct: {stars: 2}}"
    assert story(rows, purchase(1000))[0] == ["10 stars for “a”: 1 per 1.00 on 10.00 EUR.", "2 stars taken for “a”."]


def test_pending_points_name_the_local_day() -> None:
    compiled = campaigns("a: {on: visit, earn: {stars: 5}}", points="{stars: {available_after: 14d}}")
    decision = decided(compiled, happening("visit", at=at("2026-03-04T23:30+00:00")))
    assert told(compiled, decision) == [
        ["5 stars for “a”. They can be used from 2026-03-19."],
        ["5 stars für „a“. Einlösbar ab 19.03.2026."],
        ["5 stars untuk “a”. Boleh digunakan mulai 19/03/2026."],
    ]


def test_a_level_reached_and_a_level_given() -> None:
    assert story("a: {on: purchase, name: VIP day, tier: {t: black}}", purchase(500000)) == [
        ["You have reached Gold.", "You are now black: “VIP day”."],
        ["Du hast Gold erreicht.", "Du bist jetzt black: „VIP day“."],  # no German name: the program's locale, English
        ["Anda telah mencapai Emas.", "Anda kini black: “VIP day”."],
    ]


def test_what_was_decided_under_another_version_is_told_with_its_ids() -> None:
    old = campaigns("gone: {on: visit, earn: {coins: 5}}", points="{coins: {decimals: 1}}")
    decision = decided(old, happening("visit"))
    now = campaigns("a: {on: visit, earn: {stars: 1}}")
    assert sentences(now, decision.outcome, decision.explanation, "en") == ["50 coins for “gone”."]


@pytest.mark.parametrize(
    ("amount", "english", "german", "malay"),
    [
        (
            1234,
            "1,234 stars added by hand: sorry.",
            "1.234 stars von Hand gutgeschrieben: sorry.",
            "1,234 stars ditambah secara manual: sorry.",
        ),
        (
            -5,
            "5 stars taken by hand: sorry.",
            "5 stars von Hand abgezogen: sorry.",
            "5 stars ditolak secara manual: sorry.",
        ),
    ],
)
def test_adjustments(amount: int, english: str, german: str, malay: str) -> None:
    compiled = campaigns("a: {on: visit, earn: {stars: 1}}")
    found = [adjustment_sentence(compiled, "stars", amount, "sorry", locale) for locale in ("en", "de", "ms")]
    assert found == [english, german, malay]


@pytest.mark.parametrize(
    ("locale", "language"), [("en", "en"), ("de-AT", "de"), ("DE", "de"), ("ms-MY", "ms"), ("fr", "en"), ("", "en")]
)
def test_the_language_of_a_locale(locale: str, language: str) -> None:
    assert language_of(locale) == language


def test_the_name_of_a_campaign() -> None:
    compiled = campaigns(
        "a: {on: visit, name: {en: Hello, de: Hallo}, earn: {stars: 1}}\nb: {on: visit, earn: {stars: 1}}"
    )
    assert [campaign_name(compiled, "a", locale) for locale in ("en", "de-CH", "ms")] == ["Hello", "Hallo", "Hello"]
    assert [campaign_name(compiled, "b", "en"), campaign_name(compiled, "gone", "en")] == ["b", "gone"]


def test_braces_in_names_are_only_braces() -> None:
    compiled = campaigns("a: {on: visit, name: '{amount} {0} %s', earn: {stars: 1}}")
    assert told(compiled, decided(compiled, happening("visit")))[0] == ["1 stars for “{amount} {0} %s”."]


def test_every_effect_has_its_sentence() -> None:
    rows = (
        BASE + "\n"
        "m: {on: purchase, multiply: {of: base, by: 3}}\n"
        "w: {on: purchase, earn: {stars: 5, cash: 1}}\n"
        "f: {on: purchase, deduct: {stars: 2}}"
    )
    compiled = program(NAMED + "\n".join(f"  {row}" for row in rows.splitlines()))
    decision = decided(compiled, purchase(500000))
    for part in told(compiled, decision):
        assert len(part) == len(decision.outcome.points) + len(decision.outcome.tiers)


@pytest.mark.parametrize(
    ("cents", "locale", "expected"),
    [(100, "en", "1 star for"), (200, "en", "2 stars for"), (100, "de", "1 Stern für"), (200, "ms", "2 bintang untuk")],
)
def test_one_point_is_called_by_its_singular(cents: int, locale: str, expected: str) -> None:
    compiled = campaigns(
        "a: {on: purchase, earn: {stars: 1 per 1.00}}",
        points="{stars: {name: {en: stars, de: Sterne, ms: bintang}, one: {en: star, de: Stern}}}",
    )
    decision = decided(compiled, purchase(cents))
    [told] = sentences(compiled, decision.outcome, decision.explanation, locale)
    assert told.startswith(expected)


@pytest.mark.parametrize(
    ("locale", "told"),
    [
        (
            "en",
            [
                "Favourite drink is now latte.",
                "keen is now yes.",
                "spent is now 1,234.50.",
                "You now belong to “early bird”.",
                "You no longer belong to “new”.",
                "“The gate”: open gate.",
            ],
        ),
        (
            "de",
            [
                "Lieblingsgetränk ist jetzt latte.",
                "keen ist jetzt ja.",
                "spent ist jetzt 1.234,50.",
                "Du gehörst jetzt zu „early bird“.",
                "Du gehörst nicht mehr zu „new“.",
                "„Das Tor“: open gate.",
            ],
        ),
    ],
)
def test_effects_other_than_points_and_tiers_have_sentences_too(locale: str, told: list[str]) -> None:
    compiled = program(
        """
members:
  attributes:
    drink: {name: {en: Favourite drink, de: Lieblingsgetränk}}
    keen: {type: boolean}
    spent: {type: number}
campaigns:
  gate:
    name: {en: The gate, de: Das Tor}
    on: purchase
    set: {drink: "event.lines[0].sku", keen: "event.total > 1", spent: event.total}
    tag: [early_bird]
    untag: [new]
    effect: {name: open_gate}
"""
    )
    decision = decided(compiled, purchase(line(123450, "latte")), member(tags=("new",)))
    assert sentences(compiled, decision.outcome, decision.explanation, locale) == told


def test_phrases_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentences_module, "_MOST_PHRASES", 1)
    compiled = program("campaigns: {a: {on: purchase, earn: {stars: 5}}, b: {on: purchase, earn: {stars: 7}}}")
    decision = decided(compiled, purchase(100))
    told = sentences(compiled, decision.outcome, decision.explanation, "en")
    assert [text[0] for text in told] == ["5", "7"]
    assert len(compiled.phrases) == 1


def test_what_is_no_plain_number_stays_as_it_is() -> None:
    assert number("-3", "de") == "-3"
