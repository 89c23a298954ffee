"""From counts and times to the figures that are shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Tally:
    """What several rounds of the same load did together."""

    done: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    latencies_us: list[int] = field(default_factory=list)

    def add(self, done: int, seconds: float, latencies_us: Sequence[int] = (), cpu_seconds: float = 0.0) -> None:
        """Count a round."""
        self.done += done
        self.seconds += seconds
        self.cpu_seconds += cpu_seconds
        self.latencies_us += latencies_us

    @property
    def rate(self) -> float:
        """How many per second, over all rounds."""
        return self.done / self.seconds


def quantile_ms(latencies_us: Sequence[int], share: float) -> float:
    """The smallest latency that `share` of all do not exceed, in milliseconds."""
    ordered = sorted(latencies_us)
    needed = -(-len(ordered) * round(share * 1000) // 1000)  # rounded up, without the surprises of 0.99 * 100
    return ordered[max(needed, 1) - 1] / 1000


def single(events: Tally, transactions: Tally) -> dict[str, float]:
    """The figures of single purchases at one number of clients."""
    return {
        "events_per_second": round(events.rate, 1),
        "p50_ms": round(quantile_ms(events.latencies_us, 0.5), 2),
        "p99_ms": round(quantile_ms(events.latencies_us, 0.99), 2),
        "pgbench_tps": round(transactions.rate, 1),
        "ratio": round(events.rate / transactions.rate, 3),
        "generator_cpu_share": round(events.cpu_seconds / events.seconds, 3),
    }


def bulk(events: Tally, transactions: Tally) -> dict[str, float]:
    """The figures of many purchases in few requests."""
    return {
        "events_per_second": round(events.rate, 1),
        "pgbench_tps": round(transactions.rate, 1),
        "ratio": round(events.rate / transactions.rate, 3),
        "generator_cpu_share": round(events.cpu_seconds / events.seconds, 3),
    }


def growth(base: Tally, grown: Tally) -> float:
    """How much longer an event takes in the grown tables: 1.0 is no difference."""
    return round(base.rate / grown.rate, 3)


def as_table(report: dict[str, Any]) -> str:
    """The report for people."""
    machine = report["machine"]
    lines = [
        f"{machine['cores']} cores, {machine['memory_gb']} GB, {machine['cpu']}; PostgreSQL {machine['postgres']}; "
        f"files on {machine['filesystem']}",
        "",
        f"{'clients':>8} {'events/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'pgbench':>9} {'ratio':>6} {'generator':>10}",
    ]
    for clients, row in report["single"].items():
        lines.append(
            f"{clients:>8} {row['events_per_second']:>9.0f} {row['p50_ms']:>8.2f} {row['p99_ms']:>8.2f} "
            f"{row['pgbench_tps']:>9.0f} {row['ratio']:>6.2f} {row['generator_cpu_share']:>9.0%} of a core"
        )
    row = report["bulk"]
    lines += [
        f"{'bulk':>8} {row['events_per_second']:>9.0f} {'':>8} {'':>8} {row['pgbench_tps']:>9.0f} {row['ratio']:>6.2f} "
        f"{row['generator_cpu_share']:>9.0%} of a core",
        "",
    ]
    if "growth" in report:
        lines.append(
            f"an event takes {report['growth']['members_x100']:.2f} times as long with 100 times the members, "
            f"{report['growth']['history_x100']:.2f} times with 100 times the history"
        )
    lines += [
        f"verify: {'clean' if report['verify']['clean'] else 'FINDINGS'}, {report['verify']['entries']} entries; "
        f"the run took {report['seconds']:.0f} s",
    ]
    return "\n".join(lines)
