"""What a cart of 20 lines costs to ask about with 200 promotions, against the same with none.

    ./dev bench calculate [--json] [--quick] [--workers N]

docs/reference/benchmarks.md says what is measured, and how.
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # started by its path
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.harness import carts
from bench.harness.carts import Asking, promotions
from bench.harness.figures import Tally, quantile_ms
from bench.harness.generating import measured_by
from bench.harness.machine import machine
from bench.harness.population import House, enrol
from bench.harness.processor import cpu_seconds
from bench.harness.program import arguments, run, scratch_server
from bench.harness.purchases import card_text
from bench.harness.serving import Serving, serve

from setia.db.embedded import EmbeddedServer
from setia.db.engine import Database
from setia.db.migrate import upgrade
from setia.identity import service as identity
from setia.identity.scopes import Scope
from setia.program.definition import Program
from setia.versions import service as versions


@dataclass(frozen=True, slots=True)
class Plan:
    """How large and how long."""

    promotions: int = 200
    clients: int = 8
    rounds: int = 5
    seconds: float = 3
    members: int = 200


QUICK = Plan(rounds=1, seconds=1, members=20)


class Bench:
    """One run."""

    def __init__(self, plan: Plan, server: EmbeddedServer, *, workers: int) -> None:
        self._plan, self._server, self._workers = plan, server, workers

    def run(self) -> dict[str, Any]:
        """Publish both programs, then ask them in turns."""
        with Database(self._server.url(), role="bench") as database:
            upgrade(database)
            keys = {number: self._open(database, number) for number in (0, self._plan.promotions)}
            tallies = {number: Tally() for number in keys}
            with serve(self._server.url(), self._server.data_dir, workers=self._workers) as serving:
                for key in keys.values():
                    self._ask(Tally(), serving, key, 0)
                for number in range(self._plan.rounds):
                    for promoted, key in keys.items():
                        print(f"{promoted} promotions ...", file=sys.stderr, flush=True)
                        self._ask(tallies[promoted], serving, key, number + 1)
        empty, full = tallies.values()
        return {
            "calculate": {
                "lines": carts.LINES,
                "promotions": self._plan.promotions,
                "clients": self._plan.clients,
                "empty": _figures(empty),
                "full": _figures(full),
                "p99_ms": _figures(full)["p99_ms"],
                "ratio": round(full.rate / empty.rate, 3),
            }
        }

    def _open(self, database: Database, number: int) -> str:
        definition = {
            "program": {"id": f"bench_{number}", "name": f"{number} promotions", "currency": "EUR"},
            "points": {"stars": {}},
            "members": {"identifiers": ["card"]},
            "campaigns": {"base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}}, **promotions(number)},
            "stacking": carts.STACKING,
        }
        with database.transaction() as tx:
            program = versions.publish(tx, Program.model_validate(definition), "user:bench").version.program_id
            key = str(identity.create_key(tx, program, "live", [Scope.CALCULATE], label="bench"))
        enrol(database, House(program, key), range(self._plan.members))
        return key

    def _ask(self, tally: Tally, serving: Serving, key: str, seed: int) -> None:
        wanted = Asking(
            port=serving.port,
            key=key,
            clients=self._plan.clients,
            seconds=self._plan.seconds,
            cards=[card_text(card) for card in range(self._plan.members)],
            seed=seed,
        )
        before = self._spent(serving)
        measured = measured_by(carts.__file__, wanted)
        after = self._spent(serving)
        spent = {program: after[program] - before[program] for program in after}
        tally.add(measured.events, measured.seconds, spent | {"generator": measured.cpu_seconds}, measured.latencies_us)

    def _spent(self, serving: Serving) -> dict[str, float]:
        return {"database": cpu_seconds(self._server.postmaster.pid or 0), "server": cpu_seconds(serving.pid)}


def _figures(tally: Tally) -> dict[str, Any]:
    return {
        "answers_per_second": round(tally.rate, 1),
        "p50_ms": round(quantile_ms(tally.latencies_us, 0.5), 2),
        "p99_ms": round(quantile_ms(tally.latencies_us, 0.99), 2),
        "cpu_us_per_answer": tally.cpu_us,
    }


def as_table(report: dict[str, Any]) -> str:
    """The report for people."""
    found = report["calculate"]
    lines = [f"{'promotions':>10} {'answers/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'server us':>10}"]
    for name, number in (("empty", 0), ("full", found["promotions"])):
        row = found[name]
        lines.append(
            f"{number:>10} {row['answers_per_second']:>10.0f} {row['p50_ms']:>8.2f} {row['p99_ms']:>8.2f} "
            f"{row['cpu_us_per_answer']['server']:>10}"
        )
    lines.append(f"ratio {found['ratio']}; the run took {report['seconds']:.0f} s")
    return "\n".join(lines)


def main() -> int:
    """Measure and print."""
    given = arguments("calculate", __doc__).parse_args()
    start = time.monotonic()
    with scratch_server(given.folder) as server:
        about = machine(server.data_dir, "")
        report = Bench(QUICK if given.quick else Plan(), server, workers=given.workers).run()
    report |= {"machine": about, "workers": given.workers, "seconds": round(time.monotonic() - start, 1)}
    print(json.dumps(report, indent=2) if given.json else as_table(report))
    return 0


if __name__ == "__main__":
    run(main)
