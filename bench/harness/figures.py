"""From counts and times to the figures that are shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Tally:
    """What several rounds of the same load did together."""

    done: int = 0
    seconds: float = 0.0
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    """Of each program that took part."""
    latencies_us: list[int] = field(default_factory=list)

    def add(self, done: int, seconds: float, cpu_seconds: dict[str, float], latencies_us: Sequence[int] = ()) -> None:
        """Count a round."""
        self.done += done
        self.seconds += seconds
        self.latencies_us += latencies_us
        for program, spent in cpu_seconds.items():
            self.cpu_seconds[program] = self.cpu_seconds.get(program, 0.0) + spent

    @property
    def rate(self) -> float:
        """How many per second, over all rounds."""
        return self.done / self.seconds

    @property
    def cpu_us(self) -> dict[str, int]:
        """Processor time of each program for one of them, in microseconds."""
        return {program: round(spent / self.done * 1_000_000) for program, spent in self.cpu_seconds.items()}

    def cpu_share(self, program: str) -> float:
        """How much of one core a program took."""
        return round(self.cpu_seconds.get(program, 0.0) / self.seconds, 3)


def quantile_ms(latencies_us: Sequence[int], share: float) -> float:
    """The smallest latency that `share` of all do not exceed, in milliseconds."""
    ordered = sorted(latencies_us)
    needed = -(-len(ordered) * round(share * 1000) // 1000)  # rounded up, without the surprises of 0.99 * 100
    return ordered[max(needed, 1) - 1] / 1000


def single(events: Tally, transactions: Tally) -> dict[str, Any]:
    """The figures of single purchases at one number of clients."""
    latencies = {
        "p50_ms": round(quantile_ms(events.latencies_us, 0.5), 2),
        "p99_ms": round(quantile_ms(events.latencies_us, 0.99), 2),
    }
    return {"events_per_second": round(events.rate, 1), **latencies, **_against(events, transactions)}


def bulk(events: Tally, transactions: Tally) -> dict[str, Any]:
    """The figures of many purchases in few requests."""
    return {"events_per_second": round(events.rate, 1), **_against(events, transactions)}


def _against(events: Tally, transactions: Tally) -> dict[str, Any]:
    return {
        "pgbench_tps": round(transactions.rate, 1),
        "ratio": round(events.rate / transactions.rate, 3),
        "generator_cpu_share": events.cpu_share("generator"),
        "cpu_us_per_event": events.cpu_us,
        "cpu_us_per_transaction": transactions.cpu_us,
    }


def growth(base: Tally, grown: Tally) -> float:
    """How much longer an event takes in the grown tables: 1.0 is no difference."""
    return round(base.rate / grown.rate, 3)


def growth_of_cpu(base: Tally, grown: Tally) -> float:
    """The same in processor time of the server and of PostgreSQL, which other work on the machine hardly touches."""
    before, after = (tally.cpu_us["server"] + tally.cpu_us["database"] for tally in (base, grown))
    return round(after / before, 3)


def as_table(report: dict[str, Any]) -> str:
    """The report for people."""
    machine = report["machine"]
    cores = f"{machine['cores']} cores, {machine['memory_gb']} GB, {machine['cpu']}"
    lines = [f"{cores}; PostgreSQL {machine['postgres']}; files on {machine['filesystem']}", "", _HEAD]
    lines += [_row(clients, row) for clients, row in report["single"].items()]
    lines += [_row("bulk", report["bulk"]), ""]
    if "growth" in report:
        lines.append(
            f"an event takes {report['growth']['members_x100']:.2f} times as long with 100 times the members, "
            f"{report['growth']['history_x100']:.2f} times with 100 times the history"
        )
    verified = "clean" if report["verify"]["clean"] else "FINDINGS"
    lines.append(f"verify: {verified}, {report['verify']['entries']} entries; the run took {report['seconds']:.0f} s")
    return "\n".join(lines)


_HEAD = (
    f"{'clients':>8} {'events/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'pgbench':>9} {'ratio':>6} {'generator':>10} "
    f"{'us server':>10} {'us database':>12} {'us pgbench':>11}"
)


def _row(name: str, row: dict[str, Any]) -> str:
    latencies = " ".join(f"{row[key]:>8.2f}" if key in row else " " * 8 for key in ("p50_ms", "p99_ms"))
    ours, theirs = row["cpu_us_per_event"], row["cpu_us_per_transaction"]
    return (
        f"{name:>8} {row['events_per_second']:>9.0f} {latencies} {row['pgbench_tps']:>9.0f} {row['ratio']:>6.2f} "
        f"{row['generator_cpu_share']:>10.1%} {ours['server']:>10} {ours['database']:>12} {sum(theirs.values()):>11}"
    )
