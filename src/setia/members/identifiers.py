"""What a member is known by, brought to one form, so that one person is one member however their number is typed.

- `external_id`: trimmed, otherwise exact; capitals matter, because other systems' ids may differ by them.
- `card`: without spaces and dashes, in capitals; letters and digits of ASCII.
- `phone`: E.164. A number without `+` is read as one of the program's `phone_region`.
- `email`: trimmed, in lower case, Unicode form NFC. Strictly, the part before the `@` may differ by capitals; no
  provider makes use of that, and people write their address both ways. Dots and `+tags` are kept: some providers
  tell addresses apart by them.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import phonenumbers

from setia.db.ids import parse_id
from setia.problems import ErrorItem, Unprocessable
from setia.program.events import IdentifierKind, Members

KINDS: tuple[IdentifierKind, ...] = ("external_id", "card", "phone", "email")
MEMBER_PREFIX = "mem"
MOST_VALUES = 10
"""How many values of one kind a member may have."""

_CARD_JUNK = re.compile(r"[\s\-\u2010-\u2015\u2212]+")
_CARD = re.compile(r"[0-9A-Z]{1,64}")
_PHONE = re.compile(r"[+(]?[0-9][0-9\s().\-/]{2,39}")
_EMAIL = re.compile(r"[^@\s\"(),:;<>\[\]\\]{1,64}@[^@\s\"(),:;<>\[\]\\./_]+(\.[^@\s\"(),:;<>\[\]\\./_]+)+")
_MOST_EMAIL = 254
_MOST_EXTERNAL = 200


class InvalidIdentifier(Unprocessable):
    """An identifier cannot be one of its kind."""

    code = "invalid_identifier"
    title = "This cannot identify a member"


class MemberReference(NamedTuple):
    """How an event or a request names a member: by id, by identifiers in their one form, or both."""

    id: UUID | None
    identifiers: tuple[tuple[str, str], ...]


def normalise(kind: IdentifierKind, value: str, *, phone_region: str | None = None) -> str:
    """Bring a value to the one form of its kind; raise `ValueError` with a sentence when it cannot be one."""
    # Nearly all are plain ASCII, for which the look at each character is spared.
    plain = value.isascii() and value.isprintable()
    if not plain and any(unicodedata.category(character) in {"Cc", "Cs"} for character in value.strip()):
        raise ValueError("must not hold control characters")
    match kind:
        case "external_id":
            return _external_id(value)
        case "card":
            return _card(value)
        case "phone":
            return _phone(value, phone_region)
        case "email":
            return _email(value)


def read_reference(members: Members, given: Mapping[str, Any], pointer: str = "#/member") -> MemberReference:
    """Read how a member is named, as in `{"card": "4711 0815"}` or `{"id": "mem_..."}`.

    Raises `InvalidIdentifier` that points at every fault. The identifiers stand in the order the program tries them.
    """
    errors: list[ErrorItem] = []
    member_id: UUID | None = None
    found: list[tuple[str, str]] = []
    unknown = [name for name in given if name != "id" and name not in members.identifiers]
    errors.extend(_unknown_kind(members, name, pointer) for name in unknown)
    if "id" in given:
        try:
            member_id = parse_id(MEMBER_PREFIX, _text(given["id"]))
        except ValueError as error:
            errors.append(ErrorItem(pointer=f"{pointer}/id", message=f"It {error}."))
    for kind in members.identifiers:
        if kind in given:
            _collect(_normaliser(members, kind), kind, given[kind], f"{pointer}/{kind}", found, errors)
    if not errors and member_id is None and not found:
        errors.append(
            ErrorItem(pointer=pointer, message="It names nobody.", hint=f"Give id, {', '.join(members.identifiers)}.")
        )
    if errors:
        raise InvalidIdentifier(errors=errors)
    return MemberReference(member_id, tuple(found))


def read_identifiers(
    members: Members, given: Mapping[str, str | Sequence[str]], pointer: str = "#/identifiers"
) -> tuple[tuple[str, str], ...]:
    """Read the identifiers of a new member: per kind one value or several. Raises `InvalidIdentifier`."""
    errors: list[ErrorItem] = []
    found: list[tuple[str, str]] = []
    for kind, value in given.items():
        if kind not in members.identifiers:
            errors.append(_unknown_kind(members, kind, pointer))
            continue
        known = kind
        normaliser = _normaliser(members, known)
        if isinstance(value, str):
            _collect(normaliser, known, value, f"{pointer}/{kind}", found, errors)
            continue
        if len(value) > MOST_VALUES:
            errors.append(ErrorItem(pointer=f"{pointer}/{kind}", message=f"At most {MOST_VALUES} values of one kind."))
        for index, one in enumerate(value[:MOST_VALUES]):
            _collect(normaliser, known, one, f"{pointer}/{kind}/{index}", found, errors)
    if not errors and not found:
        errors.append(
            ErrorItem(
                pointer=pointer,
                message="A member needs at least one identifier.",
                hint=f"Give one of {', '.join(members.identifiers)}.",
            )
        )
    if errors:
        raise InvalidIdentifier(errors=errors)
    return tuple(found)


def _normaliser(members: Members, kind: IdentifierKind) -> Callable[[str], str]:
    return lambda value: normalise(kind, value, phone_region=members.phone_region)


def _collect(
    normaliser: Callable[[str], str],
    kind: str,
    value: Any,
    pointer: str,
    found: list[tuple[str, str]],
    errors: list[ErrorItem],
) -> None:
    try:
        pair = (kind, normaliser(_text(value)))
    except ValueError as error:
        errors.append(ErrorItem(pointer=pointer, message=f"It {error}."))
        return
    if pair not in found:
        found.append(pair)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        # A number would lose its leading zeros, and 4711 and "4711" would be two members.
        raise ValueError("must be a text, in quotes")  # noqa: TRY004 - one kind of fault for the caller
    return value


def _unknown_kind(members: Members, name: str, pointer: str) -> ErrorItem:
    return ErrorItem(
        pointer=f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}",
        message="This program does not know members by it.",
        hint=f"Use {', '.join(members.identifiers)}; `members.identifiers` of the program says which.",
    )


def _external_id(value: str) -> str:
    text = value.strip()
    if not text:
        raise ValueError("must not be empty")
    if len(text) > _MOST_EXTERNAL:
        raise ValueError(f"must have at most {_MOST_EXTERNAL} characters")
    return text


def _card(value: str) -> str:
    text = _CARD_JUNK.sub("", value).upper()
    if not _CARD.fullmatch(text):
        raise ValueError("must be 1 to 64 letters A to Z and digits; spaces and dashes do not count")
    return text


def _phone(value: str, region: str | None) -> str:
    text = value.strip()
    if not _PHONE.fullmatch(text) or not text.isascii():
        raise ValueError("must be a phone number in digits, such as +49 151 23456789")
    if region is None and not text.startswith("+"):
        raise ValueError("must begin with + and the country's code, because the program has no members.phone_region")
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise ValueError("must be a phone number, such as +49 151 23456789") from None
    # Possible and not valid: validity follows the library's edition, and an identifier must not depend on an upgrade.
    if not phonenumbers.is_possible_number(number):
        raise ValueError("must be a phone number of a length that its country has, such as +49 151 23456789")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _email(value: str) -> str:
    # Lower case may leave marks that NFC joins with their letters, hence in this order.
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFC", value.strip()).lower())
    if len(text) > _MOST_EMAIL or not _EMAIL.fullmatch(text):
        raise ValueError("must be an e-mail address, such as name@example.com")
    return text
