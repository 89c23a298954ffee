"""From the wire to the engine: a checked event with its digest, ready to be booked."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import msgspec

from setia.api.idempotency import KeyRequired
from setia.coupons.codes import ShownCode
from setia.db.ids import format_id, new_id
from setia.engine.compiled import CompiledProgram
from setia.engine.occurrences import Occurrence
from setia.events.card_tenders import shown_cards
from setia.events.converting import finest_digits
from setia.events.faults import Faults
from setia.events.live import LiveProgram
from setia.events.offer_data import offer_data_faults
from setia.events.problems import InvalidEvent, MalformedEvent
from setia.events.purchases import purchase_values
from setia.events.return_data import read_return, return_faults
from setia.events.schemas import EventIn, read_event
from setia.gift_cards.tendering import ShownCard
from setia.members.identifiers import MemberReference, read_reference
from setia.problems import ErrorItem
from setia.program.events import BUILT_IN_EVENTS, OFFER_EVENTS, REFERRAL_EVENTS, RETURN_EVENTS

_EARLIEST = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
_LATEST = dt.datetime.max.replace(tzinfo=dt.UTC)
OWN_SOURCE = "setia"
"""The source of the events that Setia makes itself."""

_encode_body = msgspec.json.Encoder(decimal_format="number").encode
_encode_canonical = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


class Arrival(msgspec.Struct, frozen=True):
    """An event on its way in."""

    id: UUID
    event: Occurrence
    reference: MemberReference | None
    digest: bytes
    """Of everything the caller said, so that the same external id with another content is noticed."""
    received_at: dt.datetime
    body: bytes
    """The event as it is stored: normalised, in the smallest units, without who it is about (law 10)."""
    shown: tuple[ShownCode, ...] = ()
    """The codes that may be those of coupons."""
    cards: tuple[ShownCard, ...] = ()
    """The gift cards that shall pay."""

    def paid(self, event: Occurrence) -> Arrival:
        """The same with the event as cards have paid for it."""
        return msgspec.structs.replace(self, event=event, body=_encode_body(event))

    @classmethod
    def of(
        cls,
        id_: UUID,
        event: Occurrence,
        reference: MemberReference | None,
        digest: bytes,
        received_at: dt.datetime,
        shown: tuple[ShownCode, ...] = (),
        cards: tuple[ShownCard, ...] = (),
    ) -> Arrival:
        """An arrival with its body written."""
        return cls(id_, event, reference, digest, received_at, _encode_body(event), shown, cards)


class Draft(msgspec.Struct, frozen=True):
    """An event that could be read; the program that checks the rest is known only when it is booked."""

    id: UUID
    sent: EventIn
    received_at: dt.datetime
    pointer: str = ""
    """Where it stands in the body, such as `/events/3`."""
    shown: Mapping[str, ShownCode] = {}
    """What its codes lead to, for who knows the secret; without it, codes are those of the program only."""
    card_hashes: Mapping[str, bytes] = {}
    """The hashes of the codes of its gift cards, likewise."""

    @property
    def key(self) -> tuple[str, str]:
        """Its source and external id: what makes it known again."""
        return self.sent.source, self.sent.external_id or ""

    def digest(self) -> bytes:
        """Of everything the caller said, so that the same external id with another content is noticed.

        Fields that came later do not count while they say nothing: what was sent before they were there, and is sent
        again, is known again.
        """
        said = _encode_canonical(self.sent)
        if self.sent.pricing == "final" and not self.sent.codes:
            # Keys are sorted. Before `codes` stands nothing that could hold the same text unescaped, and so after
            # `pricing`; between the two `data` could.
            before, _, after = said.rpartition(b'"pricing":"final",')
            said = before.replace(b'"codes":[],', b"", 1) + after
        if not self.sent.redeem:
            # What follows it are names and texts, in which quotes are escaped.
            before, _, after = said.rpartition(b'"redeem":[],')
            said = before + after
        return hashlib.blake2b(said, digest_size=16).digest()


# Python's decimals read "1_000", " 5 " and digits of other scripts; from a till these are faults, not amounts.
_LENIENT = re.compile(
    rb'"(?:amount|quantity|tax|discount|shipping|shipping_tax)"\s*:\s*"(?!-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")'
    rb"(?!-?(?:s?NaN|Inf))"
)


_MEASURED = {"purchase", *RETURN_EVENTS}


def draft(
    raw: bytes | msgspec.Raw, received_at: dt.datetime, idempotency_key: str | None = None, pointer: str = ""
) -> Draft:
    """Read one event.

    Raises:
        MalformedEvent: it is not JSON.
        InvalidEvent: a field is unknown, missing or of the wrong type; `errors[0].pointer` tells which.
        KeyRequired: it has neither an external id nor an idempotency key.
    """
    try:
        sent = read_event(raw)
    except msgspec.ValidationError as error:
        raise invalid(error, pointer) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(error) from error
    if sent.type in _MEASURED and _LENIENT.search(bytes(raw)):
        message = "An amount or quantity is written with digits and a point, as 12.50, and nothing else."
        raise InvalidEvent.at(f"#{pointer}", message)
    if sent.external_id is None:
        if idempotency_key is None:
            message = "Give the event an external_id, your own id of it, or send the header Idempotency-Key."
            errors = [ErrorItem(pointer=f"#{pointer}/external_id", message="It is missing.")]
            raise KeyRequired(message, errors=errors)
        sent = msgspec.structs.replace(sent, external_id=idempotency_key)
    return Draft(new_id(), sent, received_at, pointer)


def malformed(error: Exception) -> MalformedEvent:
    """The problem of a body that cannot be read at all."""
    if isinstance(error, UnicodeDecodeError):
        return MalformedEvent("The body is not UTF-8.")  # the error counts bytes from the start of the text it is in
    if isinstance(error, RecursionError):
        return MalformedEvent("The body is nested too deeply.")
    return MalformedEvent(f"The body is not JSON: {error}.")


_PATH = re.compile(r"^(?P<message>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_FIELD = re.compile(r"(?:unknown field|required field) `(?P<name>[^`]*)`")


def invalid(error: msgspec.ValidationError, prefix: str = "") -> InvalidEvent:
    """The problem of JSON that has another shape; `prefix` is where it stands in the body."""
    parts = _PATH.match(str(error))
    message = parts["message"] if parts else str(error)
    path = (parts["path"] if parts else None) or "$"
    field = _FIELD.search(message)
    # A step `[...]` is a key that msgspec does not name: the pointer ends before it.
    steps = re.findall(r"\.(\w+)|\[(\d+)\]", path.partition("[...]")[0])
    pointer = "/".join(("#" + prefix, *(name or index for name, index in steps)))
    if field:
        pointer += f"/{_step(field['name'])}"
    hint = None
    if "unknown field" in message:
        hint = "Only documented fields are read; data of your own belongs into `data` of an event type of your program."
    return InvalidEvent.at(pointer, f"{message}.", hint)


def _step(name: str) -> str:
    """A name as a step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def arrive(live: LiveProgram, sent: Draft) -> Arrival:
    """Check a draft against the program and bring it into the engine's units.

    Raises:
        InvalidEvent: with every fault that was found.
    """
    program = live.compiled
    faults = Faults(sent.pointer)
    event, received_at = sent.sent, live.now(sent.received_at)
    known = _origin(program, event, faults)
    occurred_at = _moment(event, received_at, faults)
    values: dict[str, Any] = {}
    if event.type == "purchase":
        values = purchase_values(program, event, faults)
    else:
        _no_purchase_fields(event, faults)
    if known:
        _data(live, event, faults)
    if faults.items:
        raise InvalidEvent.of(faults.items)
    cards = shown_cards(values.pop("cards", ()), sent.card_hashes)
    shown: tuple[ShownCode, ...] = ()
    if sent.shown and values.get("codes"):
        found = ((code, sent.shown[code.casefold()]) for code in values["codes"])
        shown = tuple(one._replace(kept=code) if one.number is None else one for code, one in found)
        # A code that Setia made is readable nowhere: what is kept of it is enough to tell it apart.
        values["codes"] = tuple(one.kept for one in shown)
    occurrence = Occurrence(
        id=format_id("evt", sent.id),
        type=event.type,
        source=event.source,
        external_id=event.external_id or "",
        occurred_at=occurred_at,
        channel=event.channel,
        location=event.location,
        labels=event.labels,
        data=event.data or {},
        **values,
    )
    reference = _reference(program, event, sent.pointer)
    arrival = Arrival.of(sent.id, occurrence, reference, sent.digest(), received_at, shown, cards)
    if b"\\u0000" in arrival.body:  # or a backslash that stands before u0000
        for place in _places_of_zero(msgspec.to_builtins(event), ()):
            faults.add("/".join(place), "It contains the character U+0000, which no text may contain.")
        if faults.items:
            raise InvalidEvent.of(faults.items)
    return arrival


def _places_of_zero(value: object, place: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    match value:
        case str():
            if "\x00" in value:
                yield place
        case dict():
            for key, item in value.items():
                if "\x00" in key:
                    yield place
                yield from _places_of_zero(item, (*place, _step(key)))
        case list() | tuple():
            for index, item in enumerate(value):
                yield from _places_of_zero(item, (*place, str(index)))


def _origin(program: CompiledProgram, event: EventIn, faults: Faults) -> bool:
    """Check what it is and where it comes from; return whether the program knows the type."""
    known = event.type in program.plans
    if not known:
        names = ", ".join(
            name for name in program.plans if name != "member_enrolled" and not program.time.is_made(name)
        )
        faults.add("type", f"{event.type!r} is not an event of this program.", f"It knows {names}.")
    elif event.type == "member_enrolled":
        # Whoever could send it would earn the welcome again and again.
        faults.add("type", "Setia makes this event itself, when a member enrols.", "Enrol with POST /v1/members.")
    elif event.type in REFERRAL_EVENTS:
        # Whoever could send it would be paid for friends who are none.
        faults.add("type", f"{event.type!r} is made by Setia, not sent.", "Refer friends with POST /v1/referrals.")
        known = False
    elif program.time.is_of_time(event.type):
        faults.add("type", f"{event.type!r} is made by time, not sent.", "Leave it out: it comes when it is due.")
        known = False  # there is no `data` to check
    if event.source == OWN_SOURCE:
        faults.add("source", f"{OWN_SOURCE!r} is the source of the events that Setia makes itself.", "Choose another.")
    return known


def _reference(program: CompiledProgram, event: EventIn, pointer: str) -> MemberReference | None:
    if event.member is None:
        return None
    member = event.member
    named = (
        ("id", member.id),
        ("external_id", member.external_id),
        ("card", member.card),
        ("phone", member.phone),
        ("email", member.email),
    )
    given = {name: value for name, value in named if value is not None}
    return read_reference(program.definition.members, given, f"#{pointer}/member")


def _moment(event: EventIn, received_at: dt.datetime, faults: Faults) -> dt.datetime:
    moment = event.occurred_at
    if moment is None:
        return received_at
    if moment.tzinfo is None:
        faults.add("occurred_at", "The moment has no offset.", "Write it as 2026-01-05T10:00:00Z or with +01:00.")
        return received_at
    try:
        moment = moment.astimezone(dt.UTC)
    except OverflowError:  # within a day of the first or the last moment that can be written
        moment = _EARLIEST - dt.timedelta(days=1) if moment.year == dt.MINYEAR else _LATEST
    if moment < _EARLIEST:
        faults.add("occurred_at", "The moment lies before 1900.")
        return received_at
    return moment


def _no_purchase_fields(event: EventIn, faults: Faults) -> None:
    for name in ("lines", "currency", "shipping", "shipping_tax", "discount"):
        if getattr(event, name) is not None:
            faults.add(name, f"Only a purchase has `{name}`.")
    for name in ("tenders", "codes", "redeem"):
        if getattr(event, name):
            faults.add(name, f"Only a purchase has `{name}`.")
    if event.pricing != "final":
        faults.add("pricing", "Only a purchase has `pricing`.")


def _return_data(program: CompiledProgram, event: EventIn, faults: Faults) -> None:
    try:
        return_faults(read_return(event.data), event.type, finest_digits(program), faults)
    except msgspec.ValidationError as error:
        fault = invalid(error, f"{faults.pointer}/data")
        faults.items += fault.errors
    if event.member is None:
        faults.add("member", "A return is of a member.", "Name the member of the order.")


def _data(live: LiveProgram, event: EventIn, faults: Faults) -> None:
    if event.type in OFFER_EVENTS:
        for fault in offer_data_faults(live.compiled, event.type, event.data):
            faults.add("/".join(("data", *map(_step, fault.path))), fault.message, fault.hint)
        return
    if event.type in RETURN_EVENTS:
        _return_data(live.compiled, event, faults)
        return
    if event.type in BUILT_IN_EVENTS:
        if event.data is not None:
            faults.add("data", f"A {event.type} has no `data`.", "Declare an event type of your own for it.")
        return
    # The validator reads plain JSON numbers; this is the one place where a copy of them may be binary.
    plain = json.loads(_encode_body(event.data or {}))
    for path, message in live.faults_of(event.type, plain):
        faults.add("/".join(("data", *map(_step, path))), f"{message}.")
