"""Definitions as YAML: writing, in one file or a folder of files, so that people like to read it."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from pathlib import Path as FilePath
from typing import Any

from setia.program.definition import Program
from setia.program.yaml_values import plain_value

_WIDTH = 100
"""Up to which column a short list or mapping is written in one line."""
_PLAIN = re.compile(r"[^\W\d][\w .,;+*/()<>=&|!?\"'%:\[\]{}-]*")
_PLAIN_IN_FLOW = re.compile(r"[^\W\d][\w .;+*/()<>=&|\"'%-]*")
# `1 per 1.00`, `100000 stars`, `14d`: what begins with a number and cannot be taken for one, in YAML 1.1 either.
_AMOUNT = re.compile(r"\d+(?:\.\d+)?(?: [a-z][a-z0-9_]*(?: [a-z0-9_.]+)*|d|w|mo|min|h|y)")
_PRINTABLE = re.compile("[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
_NEEDS_ESCAPE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_ESCAPED = {"\u2028": r"\L", "\u2029": r"\P"}

_FILES = {"points": "points.yaml", "events": "events.yaml", "tiers": "tiers.yaml"}
"""Sections with a file of their own in a folder; campaigns have one each, the rest is in program.yaml."""


def plain_data(program: Program) -> dict[str, Any]:
    """Return a program as plain values in the order of its models, without what is the default anyway."""
    data: dict[str, Any] = _lists(program.model_dump(mode="python", by_alias=True, exclude_defaults=True))
    return data


def _lists(value: Any) -> Any:
    """Turn tuples into lists, all the way down."""
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    return [_lists(item) for item in value] if isinstance(value, tuple | list) else value


def dump(program: Program) -> str:
    """Write a program as one YAML text. Reading it gives an equal program."""
    return _document(plain_data(program))


def dump_folder(program: Program, folder: FilePath) -> list[FilePath]:
    """Write a program as a folder of files: program.yaml, points.yaml, tiers.yaml, events.yaml, campaigns/<id>.yaml.

    Raises:
        FileExistsError: the folder has files in it; nothing is written, since files left from another program would be
            read as part of this one.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is not an empty folder")
    data = plain_data(program)
    files: dict[str, dict[str, Any]] = {"program.yaml": {}}
    for section, value in data.items():
        if section == "campaigns":
            files |= {f"campaigns/{name}.yaml": {"campaigns": {name: campaign}} for name, campaign in value.items()}
        else:
            files.setdefault(_FILES.get(section, "program.yaml"), {})[section] = value
    written: list[FilePath] = []
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_document(content), encoding="utf-8", newline="\n")
        written.append(path)
    return written


def _document(data: dict[str, Any]) -> str:
    lines: list[str] = []
    for number, (key, value) in enumerate(data.items()):
        if number and isinstance(value, dict | list):
            lines.append("")
        lines.extend(_entry(_scalar(key), value, 0, top=True))
    return "\n".join(lines) + "\n"


def _entry(key: str, value: Any, indent: int, *, top: bool = False) -> list[str]:
    """Write `key: value`, in one line where that is short and easy to read."""
    start = " " * indent + key + ":"
    if not isinstance(value, dict | list):
        return [f"{start} {_scalar(value)}"]
    flow = _flow(value)
    fits = len(start) + 1 + len(flow) <= _WIDTH
    if not value or (fits and _is_short(value) and not (top and isinstance(value, dict))):
        return [f"{start} {flow}"]
    return [start, *_block(value, indent + 2)]


def _block(value: dict[str, Any] | list[Any], indent: int) -> list[str]:
    if isinstance(value, dict):
        return [line for key, item in value.items() for line in _entry(_scalar(key), item, indent)]
    lines: list[str] = []
    for item in value:
        if isinstance(item, dict | list) and item and not (_is_short(item) and indent + len(_flow(item)) < _WIDTH):
            inner = _block(item, indent + 2)
            # The dash stands in the indentation of the item's first line.
            lines += [f"{' ' * indent}- {inner[0][indent + 2 :]}", *inner[1:]]
        else:
            lines.append(f"{' ' * indent}- {_flow(item)}")
    return lines


def _is_short(value: dict[str, Any] | list[Any], depth: int = 2) -> bool:
    """Whether one line may hold it: few parts, and at most one more list or mapping inside another."""
    items = list(value.values()) if isinstance(value, dict) else value
    return len(items) <= 12 and all(
        depth > 1 and _is_short(item, depth - 1) if isinstance(item, dict | list) else True for item in items
    )


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key, flow=True)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return _scalar(value, flow=True)


def _scalar(value: Any, *, flow: bool = False) -> str:
    match value:
        case None:
            text = "null"
        case bool():
            text = "true" if value else "false"
        case Decimal():
            text = _decimal(value)
        case float():
            text = _decimal(Decimal(repr(value)))
        case int():
            text = str(value)
        case dt.date():
            text = value.isoformat()
        case _:
            text = _text(str(value), flow=flow)
    return text


def _decimal(value: Decimal) -> str:
    return str(int(value)) if value == value.to_integral_value() else f"{value:f}"


def _text(text: str, *, flow: bool) -> str:
    plain = (_PLAIN_IN_FLOW if flow else _PLAIN).fullmatch(text) or _AMOUNT.fullmatch(text)
    if plain and ": " not in text and " #" not in text and text[-1] not in ": " and isinstance(plain_value(text), str):
        return text
    if not _PRINTABLE.fullmatch(text):
        return _NEEDS_ESCAPE.sub(_escape, json.dumps(text, ensure_ascii=False))
    # Double quotes unless they would need escapes, which single quotes do not have.
    return "'" + text.replace("'", "''") + "'" if '"' in text or "\\" in text else f'"{text}"'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return _ESCAPED.get(character, f"\\u{ord(character):04x}")
