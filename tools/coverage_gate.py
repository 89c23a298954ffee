"""Fail when a part of the source is covered less than its floor in pyproject.toml, branches counted.

Branches and lines are added up as coverage.py does it: (lines run + branches taken) of (lines + branches).
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass
class Gate:
    """One pattern of files, its floor, and what was found."""

    include: str
    floor: int
    covered: int = 0
    total: int = 0
    gaps: list[str] = field(default_factory=list)

    @property
    def percent(self) -> float:
        """How much of it is covered."""
        return 100 * self.covered / self.total if self.total else 100.0

    @property
    def holds(self) -> bool:
        """Whether the floor is reached, compared in whole numbers: 99.96 % is not 100 %."""
        return self.covered * 100 >= self.floor * self.total


def main() -> int:
    """Print what each gate found, with the gaps of those that fail; 1 if one does."""
    gates = [
        Gate(**gate)
        for gate in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setia"]["coverage"]["gates"]
    ]
    for name, data in sorted(_report()["files"].items()):
        gate = next(gate for gate in gates if fnmatch(name, gate.include))
        summary = data["summary"]
        covered = summary["covered_lines"] + summary["covered_branches"]
        total = summary["num_statements"] + summary["num_branches"]
        gate.covered += covered
        gate.total += total
        if covered < total:
            branches = [f"{start}->{end}" for start, end in data["missing_branches"]]
            gate.gaps.append(
                f"  {name}: {summary['percent_covered']:.1f} %, lines {data['missing_lines']}, branches {branches}"
            )
    for gate in gates:
        print(f"{gate.include}: {gate.percent:.1f} % covered, {gate.floor} % wanted")
        if not gate.holds:
            print("\n".join(gate.gaps))
    return 0 if all(gate.holds for gate in gates) else 1


def _report() -> dict[str, dict[str, dict]]:  # type: ignore[type-arg] # the report's own shape, read once above
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "coverage.json"
        subprocess.run([sys.executable, "-m", "coverage", "json", "--quiet", "-o", target], check=True, cwd=ROOT)
        return json.loads(target.read_text())  # type: ignore[no-any-return]  # the shape is that of the tool


if __name__ == "__main__":
    sys.exit(main())
