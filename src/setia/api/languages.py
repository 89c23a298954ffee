"""Which language a caller wants: `?locale=`, else `Accept-Language`, else the program's."""

import re

_RANGE = re.compile(r"^\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*$")
_MOST_RANGES = 20


def preferred(header: str | None, available: tuple[str, ...], default: str) -> str:
    """The language of `available` that the header likes best; `default` when it likes none."""
    wishes: list[tuple[float, int, str]] = []
    for place, part in enumerate((header or "").split(",")[:_MOST_RANGES]):
        found = _RANGE.match(part)
        if found:
            quality = float(found[2] or 1)
            if quality:
                wishes.append((-quality, place, found[1].split("-")[0].lower()))
    for _, _, language in sorted(wishes):
        if language in available:
            return language
    return default
