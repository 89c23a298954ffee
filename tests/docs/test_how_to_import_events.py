"""The map and the diary of the guide for importing events do what the guide says."""

import re
from pathlib import Path
from typing import Any

from import_world import PROGRAM, Shop
from setia.db.engine import Database
from setia.imports.event_mapping import EventForm

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "import-events.md").read_text(encoding="utf-8")
[MAP] = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
DIARY = "".join(f"{line}\n" for line in re.findall(r"^ {4}(\{.*\})$", PAGE, re.MULTILINE))
REVIEW: dict[str, Any] = {
    "data": {
        "type": "object",
        "properties": {"stars": {"type": "integer"}, "text": {"type": "string"}},
        "additionalProperties": False,
    }
}


def test_the_guides_map_takes_the_guides_rows(database: Database, tmp_path: Path) -> None:
    shop = Shop.open(database, tmp_path, {**PROGRAM, "events": {"review": REVIEW}})
    report = shop.bring(DIARY, MAP, events=True).as_dict()
    assert report["by_type"] == {"purchase": 1, "review": 1, "visit": 1}
    assert report["rows"]["skipped"] == {"looked": 1}
    assert report["rows"]["set_aside"]["nobody"]["rows"] == 1
    assert report["rows"]["refused"] == {}


def test_every_key_of_a_case_stands_in_the_guide() -> None:
    told = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.+?) \|", PAGE, re.MULTILINE))))
    assert told == set(EventForm.model_fields)
