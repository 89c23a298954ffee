"""`./dev` makes the environment with the interpreter that runs quickest, if one clearly does."""

import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools" / "quickest_python.py"


def choice(*interpreters: str) -> str:
    done = subprocess.run([sys.executable, str(TOOL), *interpreters], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def interpreter(folder: Path, name: str, says: str) -> str:
    """One that answers every program with the same text."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)
    return str(path)


def test_the_first_stays_unless_another_is_clearly_quicker(tmp_path: Path) -> None:
    first = interpreter(tmp_path, "first", "echo 0.50")
    little = interpreter(tmp_path, "little", "echo 0.46")
    clearly = interpreter(tmp_path, "clearly", "echo 0.37")
    assert choice(first, little) == first
    assert choice(first, little, clearly) == clearly
    assert choice(clearly, first) == clearly


def test_one_that_does_not_run_is_not_chosen(tmp_path: Path) -> None:
    first = interpreter(tmp_path, "first", "echo 0.50")
    broken = interpreter(tmp_path, "broken", "echo 0.10; exit 1")
    talks = interpreter(tmp_path, "talks", "echo hello")
    assert choice(first, broken, talks, str(tmp_path / "missing")) == first


def test_a_real_interpreter_is_measured() -> None:
    assert choice(sys.executable) == sys.executable
    assert choice("/nowhere/python3", sys.executable) == sys.executable
