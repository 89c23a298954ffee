"""What is written is read back equal, and looks like something a person wrote."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from program.strategies import programs
from setia.program.definition import Program
from setia.program.templates import load_template
from setia.program.yaml_text import load
from setia.program.yaml_writer import dump, dump_folder


@given(programs())
def test_a_written_program_is_read_back_equal(program: Program) -> None:
    assert load(dump(program)).require() == program


@given(programs())
@settings(max_examples=30)
def test_a_written_folder_is_read_back_equal(program: Program) -> None:
    with TemporaryDirectory() as folder:
        dump_folder(program, Path(folder))
        assert load(Path(folder)).require() == program


@given(programs())
@settings(max_examples=30)
def test_a_program_kept_as_json_is_the_same_program(program: Program) -> None:
    assert Program.model_validate(program.model_dump(mode="json", by_alias=True)) == program
    assert Program.model_validate_json(program.model_dump_json(by_alias=True)) == program


def test_the_text_is_readable() -> None:
    program = Program.model_validate(
        {
            "program": {"id": "bean-club", "name": {"en": "Bean Club", "de": "Bohnenclub"}, "currency": "EUR"},
            "points": {"stars": {"rounding": "ceil", "value": "0.03"}},
            "tiers": [
                {
                    "id": "status",
                    "metric": "spend",
                    "window": "rolling 12mo",
                    "levels": [{"id": "green", "from": 0}, {"id": "gold", "from": 500, "keep_from": 400}],
                }
            ],
            "campaigns": {
                "base": {"on": "purchase", "lines": '!("gift_card" in line.labels)', "earn": {"stars": "1 per 1.00"}},
                "happy_hour": {
                    "on": "purchase",
                    "schedule": {"days": ["tue"], "from": "16:00", "to": "18:00"},
                    "when": "event.total >= 20",
                    "multiply": {"of": "base", "by": 3},
                    "limits": [{"per": "member", "every": "day", "uses": 1}, {"in_all": "100000 stars"}],
                },
            },
        }
    )
    assert dump(program) == (
        "program:\n"
        "  id: bean-club\n"
        "  name: {en: Bean Club, de: Bohnenclub}\n"
        "  currency: EUR\n"
        "\n"
        "points:\n"
        "  stars: {rounding: ceil, value: 0.03}\n"
        "\n"
        "tiers:\n"
        "  - id: status\n"
        "    metric: spend\n"
        "    window: rolling 12mo\n"
        "    levels: [{id: green, from: 0}, {id: gold, from: 500, keep_from: 400}]\n"
        "\n"
        "campaigns:\n"
        "  base: {on: purchase, lines: '!(\"gift_card\" in line.labels)', earn: {stars: 1 per 1.00}}\n"
        "  happy_hour:\n"
        "    on: purchase\n"
        '    schedule: {days: [tue], from: "16:00", to: "18:00"}\n'
        "    when: event.total >= 20\n"
        "    multiply: {of: base, by: 3}\n"
        "    limits: [{per: member, every: day, uses: 1}, {in_all: 100000 stars}]\n"
    )


def test_a_folder_has_a_file_for_each_section_and_campaign(tmp_path: Path) -> None:
    written = dump_folder(load_template("shop-cashback"), tmp_path / "shop")
    assert {str(path.relative_to(tmp_path / "shop")) for path in written} == {
        "program.yaml",
        "points.yaml",
        "events.yaml",
        "tiers.yaml",
        "campaigns/base.yaml",
        "campaigns/outdoor.yaml",
        "campaigns/club_bonus.yaml",
        "campaigns/newsletter.yaml",
        "campaigns/first_order.yaml",
        "campaigns/big_basket.yaml",
        "campaigns/spring_sale.yaml",
    }


def test_a_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    old = tmp_path / "old.yaml"
    old.write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError, match="is not an empty folder"):
        dump_folder(load_template("coffee-stars"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["old.yaml"]
    assert old.read_text(encoding="utf-8") == "mine"
