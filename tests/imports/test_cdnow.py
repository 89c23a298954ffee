"""Real purchases without order numbers: CDNOW, 1997-01 to 1998-06, with totals that are known from elsewhere."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from import_world import Shop
from setia.db.engine import Database, driver_connection
from setia.events.live import LivePrograms
from setia.events.members_in_play import read_in_play
from setia.imports.fates import Report

HERE = Path(__file__).parent
PURCHASES, MEMBERS, DOLLARS, POINTS = 69_659, 23_570, Decimal("2500315.63"), 2_453_159

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cdnow(
    module_database: Database, real_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Shop, Report, Report]:
    """The whole file, imported twice."""
    shop = Shop.open(module_database, tmp_path_factory.mktemp("cdnow"), HERE / "cdnow.program.yaml")
    file = real_data / "cdnow" / "CDNOW_master.txt"
    first = shop.bring(file, HERE / "cdnow.map.yaml", program="cdnow")
    again = shop.bring(file, HERE / "cdnow.map.yaml", program="cdnow")
    return shop, first, again


def test_the_whole_history_of_cdnow(cdnow: tuple[Shop, Report, Report]) -> None:
    shop, first, again = cdnow
    _totals(first)
    _importing_again_changes_nothing(again)
    _what_is_booked(shop)
    _levels_of_1997(shop)
    shop.assert_clean()


def _totals(report: Report) -> None:
    told = report.as_dict()
    assert {name: rows for name, rows in told["rows"].items() if rows} == {"read": PURCHASES, "imported": PURCHASES}
    assert (told["orders"]["imported"], told["members_new"]) == (PURCHASES, MEMBERS)
    assert (told["money"]["imported"], told["points"]["dollars"]["imported"]) == (str(DOLLARS), str(POINTS))
    assert report.is_fine


def _importing_again_changes_nothing(report: Report) -> None:
    told = report.as_dict()
    assert {name: rows for name, rows in told["rows"].items() if rows} == {"read": PURCHASES, "known": PURCHASES}
    assert (told["members_new"], told["money"]["known"], told["points"]["dollars"]["known"]) == (
        0,
        str(DOLLARS),
        str(POINTS),
    )
    assert report.is_fine


def _what_is_booked(shop: Shop) -> None:
    """The same totals from the tables, without the report."""
    amount = "(body->'lines'->0->>'amount')::bigint"
    [found] = shop.query(
        f"SELECT count(*), count(DISTINCT member_id), sum({amount})::bigint, count(*) FILTER (WHERE {amount} = 0) "
        "FROM event WHERE type = 'purchase'"
    )
    assert found == (PURCHASES, MEMBERS, int(DOLLARS * 100), 80)
    assert shop.query("SELECT sum(available)::bigint FROM wallet") == [(POINTS,)]


def _levels_of_1997(shop: Shop) -> None:
    with shop.database.transaction() as tx:
        connection = driver_connection(tx)
        program = LivePrograms(shop.database).live(connection, shop.program_id).compiled
        members = [row[0] for row in connection.execute("SELECT id FROM member")]
        levels = Counter(
            program.levels_of(read_in_play(connection, program, shop.program_id, member).state.counters)["spender"]
            for member in members
        )
    ladder = ["bronze", "silver", "gold", "platinum"]
    reached = {level: sum(levels[higher] for higher in ladder[ladder.index(level) :]) for level in ladder}
    assert reached == {"bronze": 5_165, "silver": 1_615, "gold": 448, "platinum": 100}
