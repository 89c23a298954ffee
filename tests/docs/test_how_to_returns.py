"""The guide to returns: its program is one, and its figures are those that come out."""

import re
from decimal import Decimal
from pathlib import Path

from engine.return_world import ReturnedLine, Shop, line
from engine.shop_world import granted
from setia.engine.compiled import compile_program
from setia.program.lint import lint
from setia.program.yaml_text import load

TEXT = (Path(__file__).parents[2] / "docs" / "how-to" / "take-something-back.md").read_text(encoding="utf-8")
PROGRAM = load("".join(re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)))


def test_the_example_is_a_program_without_findings() -> None:
    assert lint(PROGRAM) == []


def test_the_figures_are_those_that_come_out() -> None:
    shop = Shop(compile_program(PROGRAM.require(), 1))
    assert sum(granted(shop.buy(line(4000, "pot"), line(2000, "mug", "2"))).values()) == 160
    first = shop.give_back(0, ReturnedLine(1, Decimal(1)))
    second = shop.give_back(0, ReturnedLine(1, Decimal(1)))
    assert [sum(granted(one).values()) for one in (first, second)] == [-10, -110]
    assert "160 leaves" in TEXT
    assert "10 leaves are taken back" in TEXT
    assert "it is 110" in TEXT
