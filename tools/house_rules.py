"""Rules of the house that no other tool checks: file sizes, purity of the engine, no addresses of package indexes."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
# A file about one noun fits in 400 lines. Up to 500 it may stay for a while; this only reminds of it.
COMFORTABLE, LONGEST = 400, 500
MEASURED = ("src", "tests", "tools", "bench")
PURE = ("src/setia/engine", "src/setia/expressions", "src/setia/program")
# import-linter sees imports; these are the ways to the clock and to chance that hide in modules everybody may import.
IMPURE_CALLS = {"now", "utcnow", "today", "uuid1", "uuid4", "uuid7", "getenv", "urandom"}
# With a class of one letter in each, so that this file does not find itself.
INDEX_ADDRESS = re.compile(
    r"(?:--|^)(?:extra-)?index-[u]rl\s*=?\s*\S"
    r"|--find-[l]inks[ =]\S"
    r"|pypi\.[o]rg/simple"
    r"|registry\.[n]pmjs\.org",
    re.MULTILINE,
)
TEXT_LIMIT = 5_000_000


def main() -> int:
    """Print every broken rule; 1 if there is one."""
    faults = [*_long_files(), *_impure_calls(), *_index_addresses()]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def _sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def _long_files() -> Iterator[str]:
    for path in _sources(*MEASURED):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        name = path.relative_to(ROOT)
        if lines > LONGEST:
            yield f"{name}: {lines} lines, {LONGEST} are the limit; find the second noun in it"
        elif lines > COMFORTABLE:
            print(f"note: {name} has {lines} lines; over {COMFORTABLE} it is about to be two files", file=sys.stderr)


def _impure_calls() -> Iterator[str]:
    for path in _sources(*PURE):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func).rpartition(".")[2]
                if name in IMPURE_CALLS:
                    where = f"{path.relative_to(ROOT)}:{node.lineno}"
                    yield f"{where}: {name}() in pure code; take its result as an argument"


def _index_addresses() -> Iterator[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=False,
        capture_output=True,
        cwd=ROOT,
    )
    if listed.returncode != 0:
        return  # not a checkout, for instance an unpacked archive
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file() and path.stat().st_size < TEXT_LIMIT:
            text = path.read_bytes().decode("utf-8", errors="replace")
            for found in INDEX_ADDRESS.finditer(text):
                yield f"{name}:{text.count(chr(10), 0, found.start()) + 1}: address of a package index"


if __name__ == "__main__":
    sys.exit(main())
