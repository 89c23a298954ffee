"""Publishing tells what the new version changes, and does it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from api_world import World, definition
from setia.cli.main import app
from setia.program.definition import Program
from setia.program.yaml_writer import dump


def test_a_card_in_another_currency_is_told_once(world: World) -> None:
    def publish(currency: str) -> list[tuple[str, str]]:
        whole = definition(gift_cards={"card": {"currency": currency}})
        answer = world.call("POST", "/v1/program/versions", json={"definition": whole})
        assert answer.status_code == 201, answer.text
        told = [(one["code"], one["pointer"]) for one in answer.json()["warnings"]]
        return [one for one in told if one[0] == "card_currency_changed"]

    assert publish("JPY") == []
    assert publish("EUR") == [("card_currency_changed", "#/definition/gift_cards/card/currency")]
    # the same again is no new version, and changes nothing
    assert publish("EUR") == []


def test_the_command_line_tells_it_too(
    database_url: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.program_id
    monkeypatch.setenv("SETIA_DATABASE_URL", database_url)
    path = tmp_path / "program.yaml"
    for currency, told in (("JPY", False), ("EUR", True)):
        whole = Program.model_validate(definition(gift_cards={"card": {"currency": currency}}))
        path.write_text(dump(whole), encoding="utf-8")
        done = CliRunner().invoke(app, ["program", "publish", str(path)])
        assert done.exit_code == 0, done.output
        assert ("card_currency_changed" in done.output) == told
