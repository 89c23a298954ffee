"""Where redemptions of a reward are counted at a moment."""

import datetime as dt

from setia.engine.compiled import compile_program
from setia.engine.rewards import all_stock_keys, stock_keys
from setia.program.definition import Program

NOW = dt.datetime(2026, 2, 28, 23, 30, tzinfo=dt.UTC)
REWARD = {
    "kind": "experience",
    "stock": 9,
    "in_all": [{"every": "day", "uses": 5}, {"every": "ever", "uses": 7}],
    "dates": [
        {"id": "may", "starts": "2026-05-01T18:00:00Z", "places": 3},
        {"id": "june", "starts": "2026-06-01T18:00:00Z", "places": 3},
        {"id": "open", "starts": "2026-07-01T18:00:00Z"},
    ],
}


def test_all_keys_are_those_of_each_date_and_of_this_moment_only() -> None:
    head = {"id": "bar", "name": "Bar", "currency": "EUR", "timezone": "Europe/Berlin"}
    whole = {"program": head, "points": {"stars": {}}, "rewards": {"tasting": REWARD, "plain": {"kind": "voucher"}}}
    compiled = compile_program(Program.model_validate(whole), 1)
    tasting = compiled.rewards["tasting"]
    by_date = [stock_keys(compiled, tasting, NOW, date) for date in (None, "may", "june", "open")]
    # where the program is, March has begun
    assert by_date[1] == {"date:may": 3, "day:2026-03-01": 5, "ever:ever": 7, "stock": 9}
    assert all_stock_keys(compiled, tasting, NOW) == {key for keys in by_date for key in keys}
    assert all_stock_keys(compiled, compiled.rewards["plain"], NOW) == set()
