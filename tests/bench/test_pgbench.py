"""What pgbench prints, read."""

import pytest
from bench.harness.pgbench import PgbenchFailed, Transactions, read_output

OUTPUT = """pgbench (18.4)
transaction type: <builtin: TPC-B (sort of)>
scaling factor: 20
query mode: prepared
number of clients: 32
number of threads: 2
maximum number of tries: 1
duration: 4 s
number of transactions actually processed: 8000
number of failed transactions: 0 (0.000%)
latency average = 15.903 ms
initial connection time = 31.190 ms
tps = 2000.000000 (without initial connection time)
"""


def test_transactions_and_their_time_are_read() -> None:
    assert read_output(OUTPUT) == Transactions(done=8000, seconds=4.0)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("failed transactions: 0", "failed transactions: 3"),
        ("processed: 8000", "processed: 0"),
        ("tps = 2000.000000 (without initial connection time)", ""),
    ],
)
def test_a_run_that_failed_gives_no_figures(before: str, after: str) -> None:
    with pytest.raises(PgbenchFailed):
        read_output(OUTPUT.replace(before, after))
