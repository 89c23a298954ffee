"""Values of rows brought into the shape an event has, and what is wrong with those that have another one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from setia.imports.values import NoValue, Read, Reader, Row
from setia.problems import Problem
from setia.program.names import Part

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")
_LINE_POINTER = re.compile(r"#/lines/([0-9]+)(?:/|$)")


class Fault(msgspec.Struct):
    """What is wrong with an order or event, and in which of its rows; None means all of them."""

    row: int | None
    code: str
    message: str
    pointer: str = ""
    hint: str = ""


class FaultyOrder(Exception):  # noqa: N818 - it is a faulty order
    """The order or event cannot be booked."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(faults[0].message)
        self.faults = faults


class Readings:
    """Reads values of one row, and says where the event lacks what cannot be read."""

    def __init__(self, row: Row, index: int | None) -> None:
        """Take a row and its place among the rows of its event; None for what stands once in the event."""
        self._row = row
        self._index = index

    def read(self, read: Read, name: str) -> Any:
        """A value as the map gives it."""
        try:
            return read(self._row)
        except NoValue as error:
            raise self._fault("no_value", error.message, name) from None

    def text(self, read: Read, name: str) -> str:
        """A value that is a text, or a number as text."""
        match value := self.read(read, name):
            case str():
                return value
            case int() | Decimal() if not isinstance(value, bool):
                return f"{value:f}" if isinstance(value, Decimal) else str(value)
            case _:
                raise self._fault("not_a_text", f"A text is needed, not {str(value)[:40]!r}.", name)

    def number(self, read: Read, name: str) -> Decimal:
        """A value that is a number, or a text that is written as one."""
        value = self.read(read, name)
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            return Decimal(value.strip())
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return Decimal(value)
        hint = 'Thousands and currency signs are taken away by an expression: double(row.price.replace(",", ""))'
        raise self._fault("not_a_number", f"A number is needed, not {str(value)[:40]!r}.", name, hint)

    def labels(self, read: Read, name: str) -> list[str]:
        """A text or a list of texts, without doubles and empty ones."""
        value = self.read(read, name)
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list | tuple) or not all(isinstance(label, str) for label in found):
            raise self._fault("not_a_text", f"A list of texts is needed, not {str(value)[:40]!r}.", name)
        return list(dict.fromkeys(label for label in found if label))

    def _fault(self, code: str, message: str, name: str, hint: str = "") -> FaultyOrder:
        return FaultyOrder(Fault(self._index, code, message, f"#/{name}", hint))


def faults_of(problem: Problem) -> list[Fault]:
    """The faults of an order that was refused, each with the row that it points at."""
    code = problem.code
    found = [Fault(_row_of(at.pointer), code, at.message, at.pointer, at.hint or "") for at in problem.errors]
    return found or [Fault(None, problem.code, problem.detail or problem.title)]


def _row_of(pointer: str) -> int | None:
    line = _LINE_POINTER.match(pointer)
    return int(line[1]) if line else None


def readers(reader: Reader, form: Part, names: Sequence[str], path: tuple[str | int, ...]) -> dict[str, Read]:
    """How to read those values of a form that the map names."""
    found = {name: reader.value(getattr(form, name), (*path, name)) for name in names}
    return {name: read for name, read in found.items() if read is not None}


def asked(holds: Callable[[Row], bool], row: Row, name: str) -> bool:
    """Whether a condition of the map holds for a row; `name` is its place in the map."""
    try:
        return holds(row) is True
    except NoValue as error:
        raise FaultyOrder(Fault(None, "no_value", error.message, f"#/{name}")) from None
