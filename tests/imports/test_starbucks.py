"""Real offers, the Starbucks simulation: its completions come out by person, offer and hour, and no others."""

import json
import lzma
from collections import Counter
from pathlib import Path

import pytest

from import_world import Shop
from setia.db.engine import Database
from setia.imports.fates import Report

HERE = Path(__file__).parent
Completion = tuple[str, str, int]
"""Person, offer and hour."""
# An offer that is completed twice by one purchase, because it was received twice, grants twice.
COMPLETED = """
SELECT i.value, o->'state'->>'campaign',
       extract(epoch FROM e.occurred_at - timestamptz '2026-01-01 00:00:00+00')::int / 3600,
       sum((o->>'completed')::int)::int
FROM event e
JOIN journal j ON j.id = e.id
JOIN member_identifier i ON i.member_id = e.member_id AND i.kind = 'external_id'
CROSS JOIN LATERAL jsonb_array_elements(j.outcome::jsonb->'offers') o
WHERE e.type = 'purchase' AND o ? 'completed'
GROUP BY 1, 2, 3
"""

pytestmark = pytest.mark.slow


def _told(file: Path) -> tuple[Counter[str], Counter[Completion]]:
    """What the transcript holds, found without any of our code: rows by kind, and the completions."""
    kinds: Counter[str] = Counter()
    completions: Counter[Completion] = Counter()
    with lzma.open(file, "rt", encoding="utf-8") as text:
        for line in text:
            if line.strip():
                row = json.loads(line)
                kinds[row["event"]] += 1
                if row["event"] == "offer completed":
                    completions[row["person"], f"o_{row['value']['offer_id']}", row["time"]] += 1
    return kinds, completions


@pytest.fixture(scope="module")
def shop(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop.open(module_database, tmp_path_factory.mktemp("starbucks"), HERE / "starbucks.program.yaml")


@pytest.fixture(scope="module")
def report(shop: Shop, real_data: Path) -> Report:
    transcript = real_data / "starbucks" / "transcript.json.xz"
    return shop.bring(transcript, HERE / "starbucks.map.yaml", program="starbucks", events=True)


def test_every_row_is_accounted_for(report: Report, real_data: Path) -> None:
    kinds, _ = _told(real_data / "starbucks" / "transcript.json.xz")
    told = report.as_dict()
    assert (told["balanced"], told["complete"], told["rows"]["refused"]) == (True, True, {})
    assert told["by_type"] == {"offer_assigned": kinds["offer received"], "purchase": kinds["transaction"]}
    assert told["by_type"] == {"offer_assigned": 76_277, "purchase": 138_953}
    assert told["rows"]["skipped"] == {"viewed": 57_725, "completed": 33_579}
    assert told["money"]["imported"] == "1775451.97"


def test_the_completions_are_those_of_the_data_and_no_others(shop: Shop, report: Report, real_data: Path) -> None:
    assert report.is_fine
    _, expected = _told(real_data / "starbucks" / "transcript.json.xz")
    assert sum(expected.values()) == 33_579
    found = Counter({(person, offer, hour): times for person, offer, hour, times in shop.query(COMPLETED)})
    assert found - expected == Counter()
    assert expected - found == Counter()


def test_the_rewards_of_all_completions_are_granted(shop: Shop, report: Report) -> None:
    assert report.as_dict()["points"]["rewards"]["imported"] == "164676"
    assert shop.query("SELECT sum(available) FROM wallet") == [(164_676,)]
    shop.assert_clean()
