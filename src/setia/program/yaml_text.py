"""Definitions as YAML, in one file or a folder of files: reading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from setia.program.definition import Program
from setia.program.findings import DefinitionError, Finding
from setia.program.model_findings import model_findings
from setia.program.positions import Sources
from setia.program.source_text import MAX_BYTES, Place, SourceText, checked, decode, fault, too_large
from setia.program.yaml_nodes import ListNode, MapNode, parse
from setia.program.yaml_values import construct


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read. `program` is None where `findings` has errors; `data` is the definition as plain values."""

    program: Program | None
    data: Any
    sources: Sources | None
    findings: tuple[Finding, ...] = ()

    def require(self) -> Program:
        """Return the program.

        Raises:
            DefinitionError: there is none, and why.
        """
        if self.program is None:
            raise DefinitionError(self.findings)
        return self.program


def load(source: FilePath | str, name: str = "program.yaml") -> Loaded:
    """Read a definition: a `Path` is a file or a folder, a text is YAML itself and called `name` in findings.

    It never raises for what is wrong with a definition: that is in `findings`. `lint` looks further.
    """
    try:
        texts = _texts(source) if isinstance(source, FilePath) else [checked(name, source)]
        root = _merge(texts)
        data = construct(root)
    except DefinitionError as error:
        return Loaded(None, None, None, error.findings)
    return validate(data, Sources(root))


def validate(data: Any, sources: Sources | None = None) -> Loaded:
    """Take a definition that is plain values already, such as a body of JSON."""
    try:
        program = Program.model_validate(data)
    except ValidationError as error:
        return Loaded(None, data, sources, tuple(model_findings(error, data, sources)))
    except RecursionError:
        message = "the definition lies too deep in itself"
        return Loaded(None, data, sources, (Finding("error", "yaml_too_deep", message),))
    return Loaded(program, data, sources)


def _texts(path: FilePath) -> list[SourceText]:
    """Read the files of a definition, in the order of their names. Hidden files and folders are left alone."""
    if not path.exists():
        place = Place(str(path), 1, 1)
        raise DefinitionError([fault("file_missing", "there is no such file or folder", place, "check the path")])
    if path.is_file():
        return [decode(str(path), _bytes(path, MAX_BYTES))]
    files = sorted(
        file
        for file in path.rglob("*")
        if file.suffix in {".yaml", ".yml"}
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if not files:
        hint = "a program is one file, or a folder of files that end in .yaml or .yml"
        raise DefinitionError([fault("file_missing", "no YAML file is in this folder", Place(str(path), 1, 1), hint)])
    texts: list[SourceText] = []
    left = MAX_BYTES
    for file in files:
        content = _bytes(file, left)
        if len(content) > left:
            raise DefinitionError([too_large(str(file), MAX_BYTES - left + len(content))])
        left -= len(content)
        texts.append(decode(str(file), content))
    return texts


def _bytes(path: FilePath, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}"
        raise DefinitionError([fault("file_missing", message, Place(str(path), 1, 1), "check its rights")]) from None


def _merge(texts: Iterable[SourceText]) -> MapNode:
    """Put files together: by top-level key, then by entry; lists follow each other in the order of the files."""
    merged: MapNode | None = None
    for text in texts:
        root = parse(text)
        if root is None:
            continue
        if not isinstance(root, MapNode):
            message = "a definition is keys and values"
            raise DefinitionError([fault("yaml_not_a_mapping", message, root.place, "begin with `program:`")])
        if merged is None:
            merged = MapNode(root.source, root.start)
        for name in root.entries:
            _merge_section(merged, root, name)
    if merged is None:
        first = next(iter(texts))
        raise DefinitionError(
            [fault("yaml_not_a_mapping", "the definition is empty", first.place(0), "begin with `program:`")]
        )
    return merged


def _merge_section(merged: MapNode, root: MapNode, name: str) -> None:
    key, node = root.entries[name]
    if name not in merged.entries:
        # A copy, because the sections of further files are added to it.
        if isinstance(node, MapNode):
            node = MapNode(node.source, node.start, dict(node.entries))
        elif isinstance(node, ListNode):
            node = ListNode(node.source, node.start, list(node.items))
        merged.entries[name] = (key, node)
        return
    first_key, before = merged.entries[name]
    if isinstance(before, ListNode) and isinstance(node, ListNode):
        before.items.extend(node.items)
        return
    if not isinstance(before, MapNode) or not isinstance(node, MapNode):
        raise DefinitionError([_twice(name, key.place, first_key.place)])
    for entry, (entry_key, value) in node.entries.items():
        if entry in before.entries:
            raise DefinitionError([_twice(f"{name}.{entry}", entry_key.place, before.entries[entry][0].place)])
        before.entries[entry] = (entry_key, value)


def _twice(name: str, place: Place, first: Place) -> Finding:
    message = f"{name!r} stands in two files; the other place is {first}"
    return fault("yaml_duplicate_key", message, place, "keep one of them")
