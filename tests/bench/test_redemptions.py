"""The benchmark of redemptions: what it sends, and its table."""

import json

from bench.harness.redemptions import Redeeming, requests
from bench.redeem import as_table


def test_each_request_has_a_reference_of_its_own() -> None:
    load = Redeeming(1, "key", 1, 1.0, "coffee", "till1", ["mem_1", "mem_2"])
    stream = requests(load)
    heads, bodies = zip(*(next(stream).split(b"\r\n\r\n") for _ in range(3)), strict=True)
    sent = [json.loads(body) for body in bodies]
    assert [one["reference"] for one in sent] == ["1", "2", "3"]
    assert all(one["confirm"] and one["till"] == "till1" and one["member"] in load.members for one in sent)
    assert f"Content-Length: {len(bodies[0])}".encode() in heads[0]


def test_the_table_has_a_row_for_each_number_of_clients() -> None:
    row = {"redemptions_per_second": 340.0, "p50_ms": 90.0, "p99_ms": 166.33, "pgbench_tps": 751.5, "ratio": 0.452}
    table = as_table({"redeem": {"32": row}, "verify": {"clean": True, "entries": 9}, "seconds": 20.0})
    assert "0.45" in table
    assert "verify: clean, 9 entries" in table
