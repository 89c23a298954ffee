"""From a row to a new member, by the map and what the program says of members."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from setia.imports.mapping import Value
from setia.imports.member_mapping import IdentifiersForm, MembersMap
from setia.imports.moments import moments
from setia.imports.readings import Fault, FaultyOrder, Readings, asked, faults_of, readers
from setia.imports.values import Read, Reader, Row
from setia.members.enrolment import checked_member
from setia.members.member import NewMember
from setia.problems import Problem
from setia.program.events import Members
from setia.program.findings import DefinitionError
from setia.program.names import Identifier, Locale
from setia.program.positions import Sources

_locale: TypeAdapter[str] = TypeAdapter(Locale)
_tag: TypeAdapter[str] = TypeAdapter(Identifier)


class MemberRows:
    """A map of members made ready for the columns of one file."""

    def __init__(
        self, form: MembersMap, sources: Sources, columns: Collection[str] | None, members: Members, looked_at: int = 0
    ) -> None:
        """Compile everything; raises `DefinitionError` with every expression and column that does not fit."""
        reader = Reader(sources, columns, looked_at)
        self._members = members
        self._skip = {name: reader.condition(text, ("skip", name)) for name, text in form.skip.items()}
        self._aside = {name: reader.condition(text, ("set_aside", name)) for name, text in form.set_aside.items()}
        self._identifiers = readers(reader, form.identifiers, tuple(IdentifiersForm.model_fields), ("identifiers",))
        self._attributes = {
            name: read
            for name, value in form.attributes.items()
            if (read := reader.value(value, ("attributes", name))) is not None
        }
        self._locale = reader.value(form.locale, ("locale",))
        self._tags = reader.value(form.tags, ("tags",))
        self._enrolled_at: Read | None = None
        self._moment: Callable[[Any], tuple[str, bool]] | None = None
        if (at := form.enrolled_at) is not None:
            self._enrolled_at = reader.value(Value(cel=at.cel, column=at.column, const=at.const), ("enrolled_at",))
            self._moment = moments(at)
        if reader.findings:
            raise DefinitionError(reader.findings)

    def sifted(self, row: Row) -> tuple[Literal["skipped", "set_aside"], str] | None:
        """What the conditions of the map say of a row that shall not be enrolled. Raises FaultyOrder."""
        for name, holds in self._skip.items():
            if asked(holds, row, f"skip/{name}"):
                return "skipped", name
        for name, holds in self._aside.items():
            if asked(holds, row, f"set_aside/{name}"):
                return "set_aside", name
        return None

    def member(self, row: Row, now: dt.datetime) -> NewMember:
        """The member that a row is. Raises FaultyOrder, with every fault of the first thing that is wrong."""
        values = Readings(row, None)
        identifiers = {name: _several(values, read, name) for name, read in self._identifiers.items()}
        identifiers = {name: found for name, found in identifiers.items() if found}
        if not identifiers:
            hint = "Name such rows under `skip` or `set_aside`."
            raise FaultyOrder(Fault(None, "no_member", "The row has none of the identifiers.", "#/identifiers", hint))
        given = {name: _plain(values.read(read, f"attributes/{name}")) for name, read in self._attributes.items()}
        try:
            return checked_member(
                self._members,
                now=now,
                identifiers=identifiers,
                attributes={name: value for name, value in given.items() if value not in {None, ""}},
                tags=self._tags_of(values),
                locale=self._locale_of(values),
                enrolled_at=self._at(values),
            )
        except Problem as problem:
            raise FaultyOrder(*faults_of(problem)) from None

    def _tags_of(self, values: Readings) -> list[str]:
        tags = [] if self._tags is None else values.labels(self._tags, "tags")
        for tag in tags:
            _fits(_tag, tag, "not_a_tag", "#/tags", "is no tag: lower case letters, digits and _ are")
        return tags

    def _locale_of(self, values: Readings) -> str | None:
        locale = None if self._locale is None else values.text(self._locale, "locale") or None
        if locale is not None:
            _fits(_locale, locale, "not_a_locale", "#/locale", "is no language; write it as en or pt-BR")
        return locale

    def _at(self, values: Readings) -> dt.datetime | None:
        if self._enrolled_at is None or self._moment is None:
            return None
        value = values.read(self._enrolled_at, "enrolled_at")
        if value == "":
            return None
        try:
            return dt.datetime.fromisoformat(self._moment(value)[0])
        except (ValueError, OverflowError, TypeError) as error:
            message = f"{str(value)[:40]!r} is no moment: {error}."
            raise FaultyOrder(Fault(None, "not_a_moment", message, "#/enrolled_at")) from None


def _several(values: Readings, read: Read, name: str) -> str | list[str]:
    """An identifier, or several of one kind."""
    found = values.read(read, f"identifiers/{name}")
    if isinstance(found, list | tuple):
        return values.labels(read, f"identifiers/{name}")
    return values.text(read, f"identifiers/{name}")


def _fits(adapter: TypeAdapter[str], value: str, code: str, pointer: str, why: str) -> None:
    try:
        adapter.validate_python(value)
    except ValidationError:
        raise FaultyOrder(Fault(None, code, f"{value[:40]!r} {why}.", pointer)) from None


def _plain(value: Any) -> Any:
    """A value as attributes have it: a whole number without decimals, a list as one."""
    if isinstance(value, Decimal) and value == value.to_integral_value() and value.adjusted() < 18:
        return int(value)
    return list(value) if isinstance(value, tuple) else value
