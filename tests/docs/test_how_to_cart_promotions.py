"""The guide to cart promotions: its program is one, and its figures are those that come out."""

import json
import re
from decimal import Decimal
from pathlib import Path

from engine.shop_world import NOON, decided
from setia.engine.compiled import compile_program
from setia.engine.facts import decimal_of
from setia.engine.occurrences import Line, Occurrence
from setia.program.lint import lint
from setia.program.yaml_text import load

TEXT = (Path(__file__).parents[2] / "docs" / "how-to" / "cart-promotions.md").read_text(encoding="utf-8")
PROGRAM = load("".join(re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)))


def cents(amount: str) -> int:
    return int(Decimal(amount) * 100)


def test_the_example_is_a_program_without_findings() -> None:
    assert lint(PROGRAM) == []


def test_the_cart_of_the_guide_costs_what_it_says() -> None:
    sent = json.loads("".join(re.findall(r"POST /v1/calculate\n((?:    .*\n)+)", TEXT)))
    told = json.loads("{" + "".join(re.findall(r"^    (\"to_pay\": .*)$", TEXT, re.MULTILINE)) + "}")["to_pay"]
    event = Occurrence(
        id="evt_1",
        type="purchase",
        source="till",
        external_id="1",
        occurred_at=NOON,
        currency="EUR",
        lines=tuple(Line(one["sku"], Decimal(one.get("quantity", 1)), cents(one["amount"])) for one in sent["lines"]),
        shipping=cents(sent["shipping"]),
        pricing=sent["pricing"],
        codes=tuple(sent["codes"]),
    )
    outcome = decided(compile_program(PROGRAM.require(), 1), event).outcome
    to_pay = outcome.to_pay
    assert to_pay is not None
    assert [str(decimal_of(line, 2)) for line in to_pay.lines] == told["lines"]
    assert str(decimal_of(to_pay.total, 2)) == told["total"]
    assert (to_pay.shipping, to_pay.discount) == (cents(told["shipping"]), cents(told["discount"]))
    assert outcome.refused == []
