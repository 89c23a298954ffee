"""Processor time of other processes: unlike a rate, it hardly changes with what else the machine has to do."""

import os
import resource
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of everything it ever started, as far as it has waited for them."""
    parents, ticks = _processes(Path("/proc"))
    family, size = {pid}, 0
    while len(family) > size:
        size = len(family)
        family |= {child for child, parent in parents.items() if parent in family}
    return sum(ticks.get(member, 0) for member in family) / _TICKS


def own_cpu_seconds(who: int = resource.RUSAGE_SELF) -> float:
    """User and system time of this process, or with RUSAGE_CHILDREN of those it has waited for."""
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def _processes(proc: Path) -> tuple[dict[int, int], dict[int, int]]:
    parents, ticks = {}, {}
    for folder in proc.iterdir():
        if folder.name.isdecimal():
            try:
                parent, spent = read_stat((folder / "stat").read_text(encoding="utf-8", errors="replace"))
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended
            parents[int(folder.name)], ticks[int(folder.name)] = parent, spent
    return parents, ticks


def read_stat(text: str) -> tuple[int, int]:
    """The parent of a process, and its ticks with those of the children it has waited for."""
    # A name may hold blanks and brackets: what follows the last bracket has neither.
    fields = text.rpartition(")")[2].split()
    return int(fields[1]), sum(int(field) for field in fields[11:15])
