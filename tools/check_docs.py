"""Check that every relative link in the documentation leads somewhere, headings included."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
ELSEWHERE = ("http://", "https://", "mailto:")


def main() -> int:
    """Print every link that leads nowhere; 1 if there is one."""
    faults = [fault for page in pages() for fault in broken_links(page)]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def pages() -> Iterator[Path]:
    """The documents at the top, under docs/, and the README of each package."""
    yield from sorted(ROOT.glob("*.md"))
    for folder in ("docs", "src", "tests", "bench"):
        yield from sorted((ROOT / folder).rglob("*.md"))


def broken_links(page: Path) -> Iterator[str]:
    """Say which links of a page are broken; links to other sites are not followed."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for found in LINK.finditer(text):
        target = found.group(1) or found.group(2)
        if target.startswith(ELSEWHERE):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists():
            yield f"{page.relative_to(ROOT)}: {target} leads nowhere"
        elif anchor and file.suffix == ".md" and anchor not in _anchors(file):
            yield f"{page.relative_to(ROOT)}: {target} names no heading of {file.name}"


def _anchors(page: Path) -> set[str]:
    """The names that GitHub gives to headings."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text)}


if __name__ == "__main__":
    sys.exit(main())
