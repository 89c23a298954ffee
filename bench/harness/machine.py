"""What the figures were measured on."""

import os
import platform
from pathlib import Path
from typing import Any


def machine(folder: Path, postgres: str) -> dict[str, Any]:
    """Cores, memory, processor, PostgreSQL, the file system of `folder`, and how busy it all is with something else."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "cpu": cpu_name(_text("/proc/cpuinfo")) or platform.machine(),
        "postgres": postgres,
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "filesystem": filesystem(_text("/proc/mounts"), folder.resolve()),
    }


def cpu_name(cpuinfo: str) -> str:
    """The processor's name, or nothing where the kernel does not tell."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return ""


def filesystem(mounts: str, folder: Path) -> str:
    """The type of the file system `folder` lies on. In memory (tmpfs) a commit costs nothing, and no figure counts."""
    found, depth = "unknown", -1
    for line in mounts.splitlines():
        _, point, kind, *_ = line.split()
        if folder.is_relative_to(point) and len(Path(point).parts) > depth:
            found, depth = kind, len(Path(point).parts)
    return found


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""
