"""Figures from counts and times, and the shape in which they are given."""

from typing import Any

import pytest
from bench.harness.figures import Tally, as_table, bulk, growth, growth_of_cpu, quantile_ms, single


def events(done: int = 1000) -> Tally:
    tally = Tally()
    tally.add(done, 2.0, {"server": 1.0, "database": 0.5, "generator": 0.1}, [1000] * 98 + [9000, 10_000])
    return tally


def transactions() -> Tally:
    tally = Tally()
    tally.add(1500, 1.0, {"database": 0.75, "pgbench": 0.3})
    tally.add(500, 1.0, {"database": 0.25, "pgbench": 0.1})
    return tally


def test_rounds_add_up_before_a_rate_is_taken() -> None:
    tally = transactions()

    assert tally.rate == 1000
    assert tally.cpu_us == {"database": 500, "pgbench": 200}
    assert tally.cpu_share("pgbench") == 0.2
    assert tally.cpu_share("unknown") == 0


@pytest.mark.parametrize(("share", "expected"), [(0.5, 0.05), (0.99, 0.099), (0.999, 0.1), (1.0, 0.1), (0.001, 0.001)])
def test_a_quantile_is_a_latency_that_was_measured(share: float, expected: float) -> None:
    assert quantile_ms(list(range(100, 0, -1)), share) == expected


def test_single_purchases_against_pgbench_at_the_same_number_of_clients() -> None:
    assert single(events(), transactions()) == {
        "events_per_second": 500.0,
        "p50_ms": 1.0,
        "p99_ms": 9.0,
        "pgbench_tps": 1000.0,
        "ratio": 0.5,
        "generator_cpu_share": 0.05,
        "cpu_us_per_event": {"server": 1000, "database": 500, "generator": 100},
        "cpu_us_per_transaction": {"database": 500, "pgbench": 200},
    }


def test_bulk_has_no_latencies() -> None:
    figures = bulk(events(10_000), transactions())

    assert (figures["events_per_second"], figures["pgbench_tps"], figures["ratio"]) == (5000.0, 1000.0, 5.0)
    assert "p50_ms" not in figures


def test_growth_is_the_time_of_an_event_against_the_base() -> None:
    assert growth(base=events(1200), grown=events(1000)) == 1.2
    assert growth(base=events(1000), grown=events(1000)) == 1.0
    assert growth_of_cpu(base=events(1200), grown=events(1000)) == 1.2


def report(**changes: Any) -> dict[str, Any]:
    return {
        "single": {"1": single(events(), transactions()), "32": single(events(), transactions())},
        "bulk": bulk(events(), transactions()),
        "growth": {"members_x100": 1.05, "history_x100": 0.98},
        "verify": {"clean": True, "entries": 12},
        "machine": {"cores": 2, "memory_gb": 23.5, "cpu": "some", "postgres": "18.4", "filesystem": "ext4"},
        "seconds": 200.4,
    } | changes


def test_the_table_has_a_row_for_each_number_of_clients() -> None:
    lines = as_table(report()).splitlines()

    assert lines[0] == "2 cores, 23.5 GB, some; PostgreSQL 18.4; files on ext4"
    assert [line.split()[0] for line in lines[3:6]] == ["1", "32", "bulk"]
    assert lines[-2].startswith("an event takes 1.05 times as long with 100 times the members, 0.98 times")
    assert lines[-1] == "verify: clean, 12 entries; the run took 200 s"


def test_findings_are_told_and_growth_may_be_left_out() -> None:
    shown = report(verify={"clean": False, "entries": 12})
    del shown["growth"]

    text = as_table(shown)

    assert "verify: FINDINGS, 12 entries" in text
    assert "times as long" not in text
