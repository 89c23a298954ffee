"""What the guide for birthdays writes are programs without findings, and they do what it says."""

import re
from pathlib import Path

import pytest

from setia.program.lint import lint
from setia.program.yaml_text import load

TEXT = (Path(__file__).parents[2] / "docs" / "how-to" / "birthdays.md").read_text(encoding="utf-8")
HEAD = "program: {id: club, name: Club, currency: EUR}\npoints: {stars: {expiry: {after: 1y}}}\n"
TIERS = (
    "tiers: [{id: status, metric: spend, window: calendar_year, levels: [{id: green, from: 0}, {id: gold, from: 9}]}]\n"
)
PROGRAMS = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", PROGRAMS)
def test_the_programs_have_no_findings(text: str) -> None:
    assert lint(load(HEAD + TIERS + text)) == []


def test_the_settings_in_the_tables_can_be_written() -> None:
    for setting in re.findall(r"`(registered: [^`]+)`", TEXT):
        text = PROGRAMS[0].replace("registered: 30d, late: next_year", setting)
        assert setting in text
        assert lint(load(HEAD + text)) == []
    [audience] = re.findall(r"`(for: [^`]+)` beside", TEXT)
    [when] = re.findall(r"with `(when: [^`]+)`", TEXT)
    text = (
        PROGRAMS[0].replace('at: "08:00"}}', f'at: "08:00"}}, {audience}}}').replace("on: happy", f"{when}, on: happy")
    )
    assert audience in text
    assert when in text
    assert lint(load(HEAD + TIERS + text)) == []
