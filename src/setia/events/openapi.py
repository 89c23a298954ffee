"""The event routes in the OpenAPI document. FastAPI does not see raw routes, so they are described here."""

from __future__ import annotations

from typing import Any

import msgspec

from setia.api.documented import problems
from setia.api.idempotency import HEADER, KeyRequired, KeyReused
from setia.codes.problems import TooManyGuesses
from setia.events.answers import CalculationOut, EventOut, ExplanationOut
from setia.events.problems import (
    EventInFuture,
    EventNotFound,
    EventReused,
    EventTooLate,
    InvalidEvent,
    MemberNotActive,
    RewardUnavailable,
    UnknownMember,
)
from setia.events.schemas import MAX_BATCH, EventIn
from setia.members.identifiers import InvalidIdentifier
from setia.members.resolve import MemberAmbiguous
from setia.versions.service import NothingPublished

_REF = "#/components/schemas/{name}"
PURCHASE: dict[str, Any] = {
    "type": "purchase",
    "external_id": "order-1001",
    "source": "shop",
    "member": {"external_id": "customer-1"},
    "currency": "EUR",
    "lines": [
        {"sku": "latte", "quantity": 2, "amount": "9.00", "category": "coffee"},
        {"sku": "croissant", "amount": "3.20", "category": "food"},
    ],
}
"""A purchase that either template decides; the tests send it."""
_REFUSALS = (
    InvalidEvent,
    InvalidIdentifier,
    KeyRequired,
    EventReused,
    UnknownMember,
    MemberAmbiguous,
    MemberNotActive,
    RewardUnavailable,
    EventTooLate,
    EventInFuture,
    NothingPublished,
    KeyReused,
    TooManyGuesses,
)


def _components() -> dict[str, Any]:
    types = [EventIn, EventOut, ExplanationOut, CalculationOut]
    _, components = msgspec.json.schema_components(types, ref_template=_REF)
    schemas: dict[str, Any] = dict(components)
    return {
        "schemas": {
            **schemas,
            "BatchIn": {
                "type": "object",
                "required": ["events"],
                "additionalProperties": False,
                "description": "Many events, those of each member decided in the order given.",
                "properties": {
                    "events": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": MAX_BATCH,
                        "items": {"$ref": _REF.format(name="EventIn")},
                    }
                },
            },
            "BatchOut": {
                "type": "object",
                "required": ["accepted", "refused", "results"],
                "description": "A result for each event, in order.",
                "properties": {
                    "accepted": {"type": "integer", "description": "How many are booked, those known before included."},
                    "refused": {"type": "integer"},
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["index", "status"],
                            "properties": {
                                "index": {"type": "integer"},
                                "status": {
                                    "type": "integer",
                                    "description": "What the event alone would have answered.",
                                },
                                "replayed": {"type": "boolean"},
                                "event": {"$ref": _REF.format(name="EventOut")},
                                "problem": {"$ref": _REF.format(name="ProblemDetails")},
                            },
                        },
                    },
                },
            },
        }
    }


def _answer(name: str, description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": {"$ref": _REF.format(name=name)}}}}


def _body(name: str, example: dict[str, Any]) -> dict[str, Any]:
    content = {"schema": {"$ref": _REF.format(name=name)}, "examples": {"purchase": {"value": example}}}
    return {"required": True, "content": {"application/json": content}}


_LOCALE: dict[str, Any] = {
    "name": "locale",
    "in": "query",
    "description": "Language of the sentences: en, de or ms. Else Accept-Language, else the program's.",
    "schema": {"type": "string", "maxLength": 35},
}
_KEY: dict[str, Any] = {
    "name": HEADER,
    "in": "header",
    "description": "Stands for `external_id` where the event has none of its own.",
    "schema": {"type": "string", "pattern": r"^[\x21-\x7e]{1,200}$"},
}
_EVENT_ID: dict[str, Any] = {
    "name": "event_id",
    "in": "path",
    "required": True,
    "description": "The event's id, `evt_...`.",
    "schema": {"type": "string"},
}


def _operation(scope: str, operation_id: str, summary: str, description: str, **members: Any) -> dict[str, Any]:
    return {
        "tags": ["events"],
        "summary": summary,
        "description": description,
        "operationId": operation_id,
        "x-scope": scope,
        **members,
    }


def _responses(success: dict[str, Any], status: str, *kinds: Any) -> dict[str, Any]:
    return {status: success} | {str(code): answer for code, answer in problems(*kinds).items()}


FRAGMENT: dict[str, Any] = {
    "paths": {
        "/v1/events": {
            "post": _operation(
                "events:write",
                "post_event",
                "Send an event",
                "Books the event and answers when it is committed: granted points, new balances, tiers, effects and a "
                "sentence for each. The same `external_id` of the same `source` again gets the first answer, with "
                "`Idempotent-Replayed: true`; with another content it is refused.",
                parameters=[_KEY, _LOCALE],
                requestBody=_body("EventIn", PURCHASE),
                responses=_responses(_answer("EventOut", "Booked."), "201", *_REFUSALS),
            )
        },
        "/v1/events/batch": {
            "post": _operation(
                "events:write",
                "post_event_batch",
                "Send many events",
                "Books up to 5,000 events, those of each member in the order given. A bad one fails alone: its result "
                "holds its problem.",
                parameters=[_LOCALE],
                requestBody=_body("BatchIn", {"events": [PURCHASE]}),
                responses=_responses(_answer("BatchOut", "A result for each event."), "200", InvalidEvent),
            )
        },
        "/v1/calculate": {
            "post": _operation(
                "calculate",
                "post_calculate",
                "Ask what an event would do",
                "The same decision as for an event, without keeping anything: for the checkout, or to try a rule.",
                parameters=[_LOCALE],
                requestBody=_body("EventIn", PURCHASE),
                responses=_responses(_answer("CalculationOut", "What it would do."), "200", *_REFUSALS),
            )
        },
        "/v1/events/{event_id}": {
            "get": _operation(
                "events:read",
                "get_event",
                "Read an event",
                "The event and what it did.",
                parameters=[_EVENT_ID, _LOCALE],
                responses=_responses(_answer("EventOut", "The event."), "200", EventNotFound),
            )
        },
        "/v1/events/{event_id}/explanation": {
            "get": _operation(
                "events:read",
                "get_event_explanation",
                "Read why an event did what it did",
                "Every campaign that was considered, with the reason or the arithmetic.",
                parameters=[_EVENT_ID, _LOCALE],
                responses=_responses(_answer("ExplanationOut", "The explanation."), "200", EventNotFound),
            )
        },
    },
    "components": _components(),
}
