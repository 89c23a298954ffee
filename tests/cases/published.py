"""The published cases: what each says, read from a file that is no part of this project."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Data = dict[str, Any]

FILE = Path(__file__).parents[3] / "shared" / "cases" / "published.jsonl"
BASES = ("source_test", "source_example", "derived")
"""Where a case's numbers come from, the firmest first."""


class NotExpressible(Exception):  # noqa: N818 - it is a finding, not an error
    """What a case asks for is not there yet; the text names the missing capability."""


@dataclass(frozen=True)
class Case:
    """One case: a program in plain words, what happens in order, and what must come out."""

    id: str
    title: str
    source: str
    basis: str
    program: Data
    events: list[Data]
    expect: Any
    tags: list[str] = field(default_factory=list)
    note: str = ""

    @classmethod
    def of(cls, data: Data) -> Case:
        """A case as it stands in the file; of what this project does not ask for (`source_kind`) nothing is kept."""
        return cls(
            id=str(data["id"]),
            title=str(data.get("title", "")),
            source=str(data.get("source", "")),
            basis=str(data.get("basis", "derived")),
            program=dict(data.get("program") or {}),
            events=list(data.get("events") or []),
            expect=data.get("expect", {}),
            tags=list(data.get("tags") or []),
            note=str(data.get("note", "")),
        )


def read_cases(path: Path = FILE, wanted: Iterable[str] = ()) -> list[Case]:
    """The cases of a file, in its order; only those with an id of `wanted`, or one that begins with it, if any."""
    texts = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    cases = [Case.of(json.loads(text)) for text in texts if text.strip()]
    prefixes = tuple(wanted)
    return [case for case in cases if case.id.startswith(prefixes)] if prefixes else cases


def known(data: Data, *names: str) -> Data:
    """`data`, if all its words are among `names`; a word that is overlooked would be a setting without effect."""
    unknown = data.keys() - set(names)
    if unknown:
        raise NotExpressible(f"words nobody knows here: {', '.join(sorted(map(str, unknown)))}")
    return data
