"""The guide to offers: its program is one, and its figures are those that come out."""

import re
from pathlib import Path
from typing import get_args

from engine.shop_world import decided, happening, line, member, purchase
from setia.engine.compiled import compile_program
from setia.engine.decision import Verdict
from setia.engine.sentences import sentences
from setia.program.lint import lint
from setia.program.yaml_text import load

TEXT = (Path(__file__).parents[2] / "docs" / "how-to" / "offers.md").read_text(encoding="utf-8")
PROGRAM = load("".join(re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)))


def test_the_examples_are_together_a_program_without_findings() -> None:
    assert lint(PROGRAM) == []
    assert set(PROGRAM.require().campaigns) == {"coffee_card", "spring", "big_basket", "breakfast"}


def test_23_coffees_give_two_and_leave_five() -> None:
    compiled = compile_program(PROGRAM.require(), 1)
    outcome = decided(compiled, purchase(line(100, "latte", "23", category="coffee"))).outcome
    assert [name for _, name, _ in outcome.custom] == ["free_coffee", "free_coffee"]
    [change] = outcome.offers
    assert change.state.progress == 5 * 10**6


def test_the_sentence_is_the_one_shown() -> None:
    compiled = compile_program(PROGRAM.require(), 1)
    assigned = decided(compiled, happening("offer_assigned", data={"offer": "spring"}))
    bought = decided(compiled, purchase(2350), member(counters=assigned.counters))
    [sentence] = sentences(compiled, bought.outcome, bought.explanation, "en")
    assert sentence in TEXT


def test_every_verdict_in_the_table_is_one() -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", TEXT.partition("## When something did not count")[2], re.MULTILINE)
    told = {verdict for row in rows for verdict in re.findall(r"`(\w+)`", row)} - {"verdict"}
    assert told <= set(get_args(Verdict))
    assert {"matched", "progress", "offer", "nothing", "limit"} <= told
