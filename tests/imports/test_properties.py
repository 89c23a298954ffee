"""Whatever stands in a file, every row has exactly one fate, and what is booked is what was fit to be booked."""

from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from import_world import HEADER, MAP, Shop
from setia.imports import lanes

FORM = MAP.replace(
    "source: till",
    'source: till\nskip: {total: row.id == "sum"}\nset_aside: {gone: row.id.startsWith("C"), nobody: row.who == ""}',
)
GROUPED = FORM.replace("source: till", "source: till\ngroup: {by: row.id, duplicates: set_aside}")
SORTED = FORM.replace("source: till", "source: till\nsort: occurred_at")

IDS = st.sampled_from(["1", "2", "3", "4", "C1", "sum", "", "x" * 300])
WHO = st.sampled_from(["ann", "bob", "", "\x07"])
AT = st.sampled_from(["2026-01-01", "2026-01-01 10:00", "2025-01-01", "2999-01-01", "soon", ""])
AMOUNT = st.sampled_from(["1", "2.50", "0", "-1", "1.005", "x", "1e400", ""])
FIT = st.tuples(IDS, WHO, AT, AMOUNT).map(",".join)
BROKEN = st.sampled_from(["1", "1,2,3,4,5", '"a"b,c,d,e', "\udcff,ann,2026-01-01,1", '"ann,', "\x00,,,", "   "])
LINES = st.lists(st.one_of(FIT, FIT, FIT, BROKEN), max_size=25)


@pytest.mark.parametrize("form", [FORM, GROUPED, SORTED])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES)
@example(lines=["1,ann,2999-01-01,1", "1,ann,2026-01-01,1"])
def test_every_row_has_exactly_one_fate(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, form: str, lines: list[str]
) -> None:
    monkeypatch.setattr(lanes, "MOST_ORDERS", 4)
    content = (HEADER + "\n".join(lines)).encode("utf-8", "surrogateescape")
    # The database stays from example to example: each has orders and members of its own.
    source = uuid4()
    mine = f'\'row.who == "" ? "" : row.who + "{source}"\''
    own = form.replace("source: till", f"source: {source}").replace("row.who}", f"{mine}}}")
    refused, aside = shop.folder / "refused.jsonl", shop.folder / "aside.jsonl"
    report = shop.bring(content, own, refused=refused, set_aside=aside)
    tally = report.tally
    assert tally.is_balanced
    assert len(_lines(refused)) == tally.refused.total()
    assert len(_lines(aside)) == tally.set_aside.total()
    [(booked,)] = shop.query(f"SELECT count(*) FROM event WHERE source = '{source}'")
    assert booked == tally.orders["imported"]
    again = shop.bring(content, own).tally
    assert again.is_balanced
    assert (again.rows["imported"], again.rows["known"]) == (0, tally.rows["imported"] + tally.rows["known"])
    assert (again.set_aside, again.skipped) == (tally.set_aside, tally.skipped)
    # The same rows are refused, and for the same reason; but of two with one id the second may have been booked, when
    # the first lay ahead. The first then has another content than what is known by its id.
    assert again.refused.total() == tally.refused.total()
    assert (again.refused - tally.refused).keys() <= {"external_id_reused"}


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()
