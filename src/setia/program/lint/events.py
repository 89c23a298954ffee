"""The program's own events: their JSON Schemas, and whether anything uses them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from setia.program.findings import Path
from setia.program.lint.report import Report

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def check(report: Report) -> None:
    """Check each of the program's own events."""
    program = report.program
    used = {trigger for campaign in program.campaigns.values() for trigger in campaign.triggers}
    used |= {event for point_type in program.points.values() for event in point_type.expiry.extended_by}
    for name, event in program.events.items():
        _check_schema(report, ("events", name, "data"), event.data)
        if name not in used:
            message = f"no campaign uses the event {name!r}"
            report.warning("unused_event", ("events", name), message, f"add a campaign with `on: {name}`", key=True)


def _check_schema(report: Report, path: Path, schema: dict[str, Any]) -> None:
    if schema.get("type") != "object":
        message = "the data of an event is an object"
        report.error("bad_json_schema", (*path, "type"), message, "write `type: object` and its `properties`")
        return
    if schema.get("$schema", _DIALECT) != _DIALECT:
        message = "only JSON Schema 2020-12 is read here"
        report.error("bad_json_schema", (*path, "$schema"), message, "leave `$schema` out")
        return
    for where, reference in _references(schema, path):
        if not isinstance(reference, str) or not reference.startswith("#"):
            message = "a schema refers only to itself: nothing is fetched"
            report.error("bad_json_schema", where, message, "write the schema out, or refer to `#/$defs/...`")
            return
    try:
        jsonschema_rs.Draft202012Validator(schema)
    except jsonschema_rs.ValidationError as error:
        where = (*path, *error.instance_path)
        report.error("bad_json_schema", where, f"this is not JSON Schema: {error.message}", "see JSON Schema 2020-12")
    except (ValueError, TypeError, jsonschema_rs.ReferencingError) as error:
        first = str(error).partition("\n")[0]
        report.error("bad_json_schema", path, f"this is not JSON Schema: {first}", "see JSON Schema 2020-12")


def _references(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in {"$ref", "$dynamicRef"} and not isinstance(item, dict):
                yield (*path, key), item
            elif key not in {"const", "enum", "default", "examples"}:
                yield from _references(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _references(item, (*path, number))
