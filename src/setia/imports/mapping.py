"""The map of an import, as its owner writes it in YAML: how the columns of somebody's file become purchases."""

from __future__ import annotations

import codecs
import re
import zoneinfo
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal, TypeGuard, TypeVar, get_args

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from setia.program.findings import DefinitionError, Finding, Path, pointer
from setia.program.names import Part
from setia.program.nearest import hint as nearest_hint
from setia.program.positions import Sources
from setia.program.source_text import MAX_BYTES, Place, decode, fault
from setia.program.yaml_nodes import parse
from setia.program.yaml_values import construct

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Cel = Annotated[str, Field(min_length=1)]


class Value(Part):
    """Where a value comes from: an expression over the row, a column as it stands, or the same text for every row.

    A bare text is an expression: `row.dollar_value` means `{cel: row.dollar_value}`.
    """

    cel: Cel | None = None
    column: str | None = None
    const: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return {"cel": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one(self) -> Value:
        if sum(given is not None for given in (self.cel, self.column, self.const)) != 1:
            message = "write an expression, or one of {column: NAME} and {const: TEXT}"
            raise ValueError(message)
        return self


class Moment(Value):
    """When it happened. Without `format` the text is RFC 3339, or the expression gives a timestamp.

    `format` is that of Python's `strptime`. A moment without an offset of its own needs a `timezone`. In the hour that
    a change of the clocks repeats, the first one is meant; in the one that it skips, the clock before the change.
    """

    format: str | None = None
    timezone: str | None = None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None and value not in zoneinfo.available_timezones():
            message = f"{value!r} is not a time zone of the IANA database; write for example Europe/London"
            raise ValueError(message)
        return value


class FileForm(Part):
    """What the file looks like inside; `.xz` and `.gz` around it are seen by its name."""

    format: Literal["csv", "blanks", "jsonl", "parquet"]
    columns: tuple[str, ...] = ()
    """The names of the columns of a csv or blanks file, where its first line does not give them.

    Rows of jsonl and parquet bring their own; here stand those that only later rows have.
    """
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    quote: Annotated[str, Field(min_length=1, max_length=1)] = '"'
    encoding: str = "utf-8"

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            found = codecs.lookup(value).name
        except LookupError:
            message = f"{value!r} is no encoding; write for example utf-8 or cp1252"
            raise ValueError(message) from None
        if found.startswith(("utf-16", "utf-32")):
            message = "files in UTF-16 and UTF-32 are not read; convert the file to UTF-8"
            raise ValueError(message)
        return value

    @field_validator("columns")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if value.count(name) > 1:
                message = f"column {name!r} stands twice"
                raise ValueError(message)
        return value


class MemberForm(Part):
    """Who bought, by the identifiers the program knows. One that is empty in a row is not given."""

    id: Value | None = None
    external_id: Value | None = None
    card: Value | None = None
    phone: Value | None = None
    email: Value | None = None

    @model_validator(mode="after")
    def _some(self) -> MemberForm:
        if not any(getattr(self, name) is not None for name in MemberForm.model_fields):
            message = "name at least one of id, external_id, card, phone and email"
            raise ValueError(message)
        return self


class LineForm(Part):
    """One line of a purchase; each row is one line."""

    sku: Value
    amount: Value
    """What the line costs for its whole quantity: for a unit price, `double(row.quantity) * double(row.price)`."""
    quantity: Value | None = None
    tax: Value | None = None
    discount: Value | None = None
    name: Value | None = None
    category: Value | None = None
    brand: Value | None = None
    labels: Value | None = None


class Grouping(Part):
    """Which rows are one order.

    `rows: together` holds one order in memory and trusts that its rows follow each other; `anywhere` sorts the file on
    disk first. `duplicates: set_aside` takes rows of one order that are equal in every column only once.
    """

    by: Value
    rows: Literal["anywhere", "together"] = "anywhere"
    duplicates: Literal["keep", "set_aside"] = "keep"


class OrderForm(Part):
    """What stands once in an event, beside when it happened and whom it is about."""

    currency: Value | None = None
    channel: Value | None = None
    location: Value | None = None
    labels: Value | None = None
    discount: Value | None = None
    shipping: Value | None = None
    shipping_tax: Value | None = None


class RowsMap(Part):
    """What every map says of the rows of a file, whatever they become."""

    file: FileForm
    source: Annotated[str, Field(min_length=1, max_length=63)]
    """Where the rows come from. External ids are unique within it: another shop is another source."""
    external_id: Value
    member: MemberForm
    guests: Literal["refuse", "book"] = "refuse"
    """What to do with an order or event that names nobody."""
    occurred_at: Moment
    sort: Literal["file", "occurred_at"] = "file"
    """The order in which events are booked. `occurred_at` sorts on disk first."""
    group: Grouping | None = None
    tax_included: bool = True
    rounding: Literal["half_up", "half_even", "down", "up"] | None = None
    """How an amount with more decimals than the currency is brought to it, line by line; without it, it is refused."""
    skip: dict[Name, Cel] = Field(default_factory=dict)
    """Rows that are not wanted at all, such as a line of totals: counted by name, and left."""
    set_aside: dict[Name, Cel] = Field(default_factory=dict)
    """Rows that matter and cannot be booked: counted by name, and written to a file if one is named."""

    @model_validator(mode="after")
    def _names_once(self) -> RowsMap:
        both = self.skip.keys() & self.set_aside.keys()
        if both:
            message = f"{min(both)!r} stands under skip and under set_aside"
            raise ValueError(message)
        if self.group is not None and self.group.duplicates == "set_aside" and DUPLICATE in self.set_aside:
            message = f"{DUPLICATE!r} is what group.duplicates counts under; give the condition another name"
            raise ValueError(message)
        return self


class ReturnForm(Part):
    """Which rows are goods that come back: each of so many of the article that `lines.sku` names."""

    rows: Cel
    """The condition that holds for them; of one group all rows come back, or none."""
    quantity: Value | None = None
    """How many come back; without it `lines.quantity`. A sign before it does not matter."""


class ImportMap(RowsMap, OrderForm):
    """How rows become purchases."""

    lines: LineForm
    returns: ReturnForm | None = None
    """Rows that become returns of earlier orders in the file; those that match none are set aside."""


DUPLICATE = "duplicate"


Form = TypeVar("Form", bound=Part)


def load_map(path: FilePath, form: type[Form]) -> tuple[Form, Sources]:
    """Read a map of one kind, with the places of its values for complaints that come later.

    Raises:
        DefinitionError: it is no map; every finding has a file, a line and a column.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        place = Place(str(path), 1, 1)
        raise DefinitionError([fault("file_missing", f"the map cannot be read: {error.strerror}", place)]) from None
    root = parse(decode(str(path), content))
    if root is None:
        raise DefinitionError([fault("yaml_not_a_mapping", "the map is empty", Place(str(path), 1, 1))])
    sources = Sources(root)
    data = construct(root)
    try:
        return form.model_validate(data), sources
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise DefinitionError([_finding(dict(one), data, sources, form) for one in faults]) from None


def finding_at(sources: Sources, path: Path, message: str, hint: str = "", line: int = 0, column: int = 0) -> Finding:
    """A finding about the text at a path of the map; `line` and `column` count inside of it."""
    place = sources.inside(path, line, column) if line else sources.value(path)
    return Finding("error", "map_invalid", message, hint, place.file, place.line, place.column, pointer(path))


def _finding(error: dict[str, Any], data: Any, sources: Sources, form: type[Part]) -> Finding:
    # A bare text became {cel: text} on its way in, so the last steps may be no steps of the file.
    path: list[str | int] = []
    for step in error["loc"]:
        in_list = isinstance(data, list) and isinstance(step, int) and step < len(data)
        if not in_list and not (isinstance(data, dict) and step in data):
            break
        data = data[step]
        path.append(step)
    missing = error["loc"][len(path) :]
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing" and missing:
        name = ".".join(map(str, missing))
        return finding_at(sources, tuple(path), f"`{name}` is missing here", f"add `{name}: ...`")
    if error["type"] == "literal_error":
        values = [value.strip("'") for value in re.split(", | or ", str(error["ctx"]["expected"]))]
        hint = nearest_hint(str(error["input"]), values, of="possible values")
        return finding_at(sources, tuple(path), message, hint)
    if error["type"] == "extra_forbidden":
        name = str(path[-1]) if path else ""
        message = f"there is no key {name!r} here"
        hint = nearest_hint(name, _keys(form, path[:-1]), of="keys")
        place, where = sources.key(tuple(path)), pointer(tuple(path))
        return Finding("error", "map_invalid", message, hint, place.file, place.line, place.column, where)
    message, _, hint = message.partition("; ")
    return finding_at(sources, tuple(path), message, hint or _FORMS)


_FORMS = "docs/how-to/import-purchases.md, import-events.md and import-members.md tell what belongs here"


def _keys(root: type[BaseModel], path: Sequence[str | int]) -> tuple[str, ...]:
    """The keys that the map may have at a place."""
    form = root
    for step in path:
        kind = form.model_fields[step].annotation if step in form.model_fields else None
        form = next((found for found in (kind, *get_args(kind)) if _is_form(found)), form)
    return tuple(form.model_fields)


def _is_form(kind: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
