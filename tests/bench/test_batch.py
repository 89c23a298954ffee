"""The benchmark of jobs: its figures, and that a small run books everything."""

import pytest
from bench.batch import Run, as_table, summary

from bench import batch
from setia.db.embedded import EmbeddedServer

RUNS = [
    Run(10_000, 2.0, {"workers": 1.5, "database": 0.5}),
    Run(1_000_000, 220.0, {"workers": 150.0, "database": 90.0}),
]


def test_figures_are_by_number_of_members() -> None:
    figures = summary(RUNS)
    assert figures["seconds"] == {"10000": 2.0, "1000000": 220.0}
    assert figures["cpu_us_per_member"]["1000000"] == {"workers": 150.0, "database": 90.0}
    assert (figures["growth"], figures["growth_of_cpu"]) == (1.1, 1.2)


def test_the_table_has_a_row_for_each_number() -> None:
    table = as_table(summary(RUNS))
    assert " 1,000,000    220.00       150.0         90.0" in table
    assert "1.10 times as long" in table


@pytest.mark.slow
@pytest.mark.faults
def test_a_small_run_books_everything(shared_server: EmbeddedServer, capsys: pytest.CaptureFixture[str]) -> None:
    run = batch.measure(shared_server, 2_000, 2)
    assert run.members == 2_000
    assert run.seconds > 0
    assert set(run.cpu_seconds) == {"workers", "database"}
    assert "2,000 members are due" in capsys.readouterr().err
