"""`/v1/events` and `/v1/calculate`: raw routes, because one purchase is the most frequent request there is."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from setia.api.answers import REQUEST_ID
from setia.api.idempotency import HEADER, REPLAYED
from setia.api.languages import preferred
from setia.api.strict import unknown_parameters
from setia.coupons.codes import CouponCodes
from setia.db.engine import Database, driver_connection
from setia.db.ids import parse_id
from setia.engine.wording import LANGUAGES
from setia.events.answers import CalculationOut, EventOut, ExplanationOut, encode, event_out, explanation_out
from setia.events.arrivals import Draft, draft, invalid, malformed
from setia.events.booked import Booked, stored_event
from setia.events.booking import Answer, Submission
from setia.events.calculating import calculate
from setia.events.card_tenders import count_guesses
from setia.events.committer import MOST_TOGETHER, Committer
from setia.events.coupon_answers import with_codes
from setia.events.live import LivePrograms
from setia.events.problems import EventNotFound, RewardUnavailable
from setia.events.schemas import read_batch
from setia.events.wrong_codes import count_wrong, wrong_codes
from setia.identity.caller import Caller, authenticate
from setia.identity.scopes import Scope
from setia.problems import BadRequest, InternalError, Problem, UnsupportedMediaType

_JSON = "application/json"
_PARAMETERS = ("locale",)
_KEY_HEADER = HEADER.lower().encode()
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


class Desk:
    """What the routes need: the committer and the versions of the programs."""

    def __init__(self, database: Database, programs: LivePrograms, committer: Committer, codes: CouponCodes) -> None:
        self._codes = codes
        self._database = database
        self._programs = programs
        self._committer = committer

    def routes(self) -> list[Route]:
        """The routes, for the app."""
        return [
            Route("/v1/events", self.post_event, methods=["POST"]),
            Route("/v1/events/batch", self.post_batch, methods=["POST"]),
            Route("/v1/calculate", self.post_calculate, methods=["POST"]),
            Route("/v1/events/{event_id}", self.get_event, methods=["GET"]),
            Route("/v1/events/{event_id}/explanation", self.get_explanation, methods=["GET"]),
        ]

    async def post_event(self, request: Request) -> Response:
        """Book one event and answer when it is committed."""
        caller = await authenticate(request, Scope.EVENTS_WRITE)
        unknown_parameters(request, _PARAMETERS)
        body = await _body(request)
        sent = self._known(caller, draft(body, dt.datetime.now(dt.UTC), _idempotency_key(request)))
        [answer] = await self._committer.wait(caller.program_id, [Submission(sent, caller.actor)])
        if isinstance(answer, Problem):
            raise answer
        if sent.shown:
            await self._note_wrong(caller, [(sent, answer)])
        return _Created(encode(self._out(answer, _wish(request))), replayed=answer.replayed)

    async def post_batch(self, request: Request) -> Response:
        """Book up to 5,000 events; each has a result of its own."""
        caller = await authenticate(request, Scope.EVENTS_WRITE)
        unknown_parameters(request, _PARAMETERS)
        body = await _body(request)
        try:
            raw = read_batch(body).events
        except msgspec.ValidationError as error:
            raise invalid(error) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise malformed(error) from error
        now = dt.datetime.now(dt.UTC)
        read = [
            one if isinstance(one, Problem) else self._known(caller, one)
            for one in (_draft(one, now, f"/events/{index}") for index, one in enumerate(raw))
        ]
        answers = await self._book(caller, read)
        refused = sum(isinstance(answer, Problem) for answer in answers)
        wish, request_id = _wish(request), request.scope.get(REQUEST_ID)
        results = [self._result(index, answer, wish, request_id) for index, answer in enumerate(answers)]
        return Response(
            encode({"accepted": len(results) - refused, "refused": refused, "results": results}), 200, media_type=_JSON
        )

    async def post_calculate(self, request: Request) -> Response:
        """Say what an event would do, and keep nothing."""
        caller = await authenticate(request, Scope.CALCULATE)
        unknown_parameters(request, _PARAMETERS)
        body = await _body(request)
        now = dt.datetime.now(dt.UTC)
        sent = self._known(caller, draft(body, now, "calculate"))

        def work() -> CalculationOut:
            with self._database.transaction("REPEATABLE READ") as tx:
                live, booked = calculate(
                    driver_connection(tx), self._programs, caller.program_id, sent, now, caller.actor
                )
            if booked.outcome.payment is not None:
                # By itself: a question is asked in a snapshot, which must not wait for who counts at the same time.
                self._database.run(lambda tx: count_guesses(driver_connection(tx), live, booked, caller.actor, now))
            if wrong := wrong_codes(sent.shown, booked.outcome):
                self._database.run(
                    lambda tx: count_wrong(driver_connection(tx), caller.program_id, wrong, caller.actor, now)
                )
            language = _language(_wish(request), live.compiled.definition.program.locale)
            out = event_out(live.compiled, booked, language)
            return CalculationOut(
                status=booked.status,
                type=out.type,
                program_version=live.compiled.version,
                granted=out.granted,
                balances=out.balances,
                tiers=out.tiers,
                effects=out.effects,
                sentences=out.sentences,
                offers=out.offers,
                discounts=out.discounts,
                refused_codes=out.refused_codes,
                coupons=out.coupons,
                redeemed=out.redeemed,
                to_pay=out.to_pay,
                refund=out.refund,
                payment=out.payment,
                considered=explanation_out(live.compiled, booked, language).considered,
            )

        try:
            return Response(encode(await run_in_threadpool(work)), media_type=_JSON)
        except RewardUnavailable as problem:
            # As when it is booked: holds whose time has passed keep nothing from anybody.
            if not problem.is_taken_by_others:
                raise
            if not await run_in_threadpool(self._programs.free_overdue, caller.program_id, now):
                raise
        return Response(encode(await run_in_threadpool(work)), media_type=_JSON)

    async def get_event(self, request: Request) -> Response:
        """One event with what it did."""
        booked = await self._stored(request)
        return Response(encode(self._out(booked, _wish(request))), media_type=_JSON)

    async def get_explanation(self, request: Request) -> Response:
        """Why an event did what it did."""
        booked = await self._stored(request)
        program = self._programs.version(booked.program_id, booked.version).compiled if booked.version else None
        language = _language(_wish(request), program.definition.program.locale if program else "en")
        answer: ExplanationOut = explanation_out(program, booked, language)
        return Response(encode(answer), media_type=_JSON)

    async def _stored(self, request: Request) -> Booked:
        caller = await authenticate(request, Scope.EVENTS_READ)
        unknown_parameters(request, _PARAMETERS)
        try:
            event_id = parse_id("evt", request.path_params["event_id"])
        except ValueError as error:
            message = f"The id {error}."
            raise EventNotFound(message) from error

        def work() -> Booked | None:
            with self._database.transaction() as tx:
                return stored_event(driver_connection(tx), caller.program_id, event_id)

        booked = await run_in_threadpool(work)
        if booked is None:
            raise EventNotFound
        return booked

    async def _book(self, caller: Caller, read: list[Draft | Problem]) -> list[Answer]:
        """Hand in what could be read, in pieces of one transaction each, and put the answers in order."""
        good = [Submission(one, caller.actor) for one in read if isinstance(one, Draft)]
        booked: list[Answer] = []
        for start in range(0, len(good), MOST_TOGETHER):
            piece = good[start : start + MOST_TOGETHER]
            try:
                told = await self._committer.wait(caller.program_id, piece)
            except Problem as problem:  # the queue is full or closing: what was booked before stays booked, and is told
                told = [problem] * len(piece)
            # Before the next piece: it must not begin to guess anew.
            await self._note_wrong(caller, zip((one.draft for one in piece), told, strict=True))
            booked += told
        following = iter(booked)
        return [next(following) if isinstance(one, Draft) else one for one in read]

    def _out(self, booked: Booked, wish: str | None) -> EventOut:
        if booked.version is None:
            return event_out(None, booked, "en")
        program = self._programs.version(booked.program_id, booked.version).compiled
        out = event_out(program, booked, _language(wish, program.definition.program.locale))
        with_codes(out.coupons, self._codes, booked.program_id)
        return out

    async def _note_wrong(self, caller: Caller, booked: Iterable[tuple[Draft, Answer]]) -> None:
        """Count the codes that were none, when the events are booked: others must not wait for it."""
        wrong = [
            code
            for sent, told in booked
            if sent.shown and isinstance(told, Booked) and not told.replayed
            for code in wrong_codes(sent.shown, told.outcome)
        ]
        if wrong:
            now = dt.datetime.now(dt.UTC)

            def work() -> None:
                self._database.run(
                    lambda tx: count_wrong(driver_connection(tx), caller.program_id, wrong, caller.actor, now)
                )

            await run_in_threadpool(work)

    def _known(self, caller: Caller, sent: Draft) -> Draft:
        """A draft with what its codes lead to."""
        cards = [tender.code for tender in sent.sent.tenders if tender.code is not None]
        if not sent.sent.codes and not cards:
            return sent
        return msgspec.structs.replace(
            sent,
            shown=self._codes.shown(caller.program_id, sent.sent.codes),
            card_hashes={code: self._codes.hash_of(caller.program_id, code) for code in cards},
        )

    def _result(self, index: int, answer: Answer, wish: str | None, request_id: str | None) -> dict[str, Any]:
        if isinstance(answer, Problem):
            problem = answer.as_dict(request_id)
            for error in problem.get("errors", ()):
                # What reading an event finds knows its place in the batch, what deciding it finds only that in itself.
                if not error["pointer"].startswith("#/events/"):
                    error["pointer"] = f"#/events/{index}{error['pointer'][1:]}"
            return {"index": index, "status": answer.status, "problem": problem}
        return {"index": index, "status": 201, "replayed": answer.replayed, "event": self._out(answer, wish)}


def _draft(raw: msgspec.Raw, now: dt.datetime, pointer: str) -> Draft | Problem:
    try:
        return draft(raw, now, pointer=pointer)
    except Problem as problem:
        return problem
    except Exception:  # noqa: BLE001 - whatever one event does to the reader, its neighbours are booked
        return InternalError()


async def _body(request: Request) -> bytes:
    media_type = _header(request, b"content-type") or ""
    if media_type != _JSON and media_type.partition(";")[0].strip().lower() != _JSON:
        message = "Send JSON with the header Content-Type: application/json."
        raise UnsupportedMediaType(message)
    first = await request.receive()
    if first["type"] == "http.request" and not first.get("more_body", False):
        # Nearly every body comes at once. Starlette's way leads through a generator and two lists.
        body: bytes = first.get("body", b"")
        return body
    return await _rest(request, first)


async def _rest(request: Request, message: Message) -> bytes:
    parts: list[bytes] = []
    while message["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
        message = await request.receive()
    raise ClientDisconnect


class _Created(Response):
    """A 201 with JSON: what Starlette makes of it, without working out each time which headers those are."""

    def __init__(self, body: bytes, *, replayed: bool) -> None:
        self.status_code = 201
        self.background = None
        self.body = body
        self.raw_headers = [(b"content-length", b"%d" % len(body)), (b"content-type", _JSON.encode())]
        if replayed:
            self.raw_headers.insert(0, (REPLAYED.lower().encode(), b"true"))


def _header(request: Request, name: bytes) -> str | None:
    """One header; Starlette's own mapping is made anew for each request and decodes as it searches."""
    for known, value in request.scope["headers"]:
        if known == name:
            text: str = value.decode("latin-1")
            return text
    return None


class InvalidIdempotencyKey(BadRequest):
    """The header holds what no key may hold."""

    code = "idempotency_key_invalid"
    title = "This is no Idempotency-Key"


def _idempotency_key(request: Request) -> str | None:
    key = _header(request, _KEY_HEADER)
    if key is not None and not _KEY.fullmatch(key):
        message = "An Idempotency-Key is 1 to 200 visible ASCII characters."
        raise InvalidIdempotencyKey(message)
    return key


def _wish(request: Request) -> str | None:
    """The language the caller asks for, if any."""
    locale = request.query_params.get("locale") if request.scope["query_string"] else None
    return locale or _header(request, b"accept-language")


def _language(wish: str | None, default: str) -> str:
    return preferred(wish, LANGUAGES, default) if wish else default
