"""Requests made up from the OpenAPI document: none is a fault of ours, and each answer is a documented one."""

from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api_world import World
from setia.events.openapi import PURCHASE

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def send(world: World, case: schemathesis.Case[Any]) -> Any:
    """Send a made-up request, as the owner of the program."""
    sent = case.as_transport_kwargs(base_url="http://setia.test")
    headers = {name: value for name, value in sent["headers"].items() if value is not None}
    more = {name: sent[name] for name in ("params", "json") if sent.get(name) is not None}
    if sent.get("data") is not None:
        more["content"] = sent["data"]
    if "authorization" in {name.lower() for name in headers}:
        headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
    return world.call(sent["method"], sent["url"], headers=headers, **more)


def fit(body: Any) -> None:
    """Let a made-up event be about somebody, and in the program's currency: most others end at its first checks."""
    events = body.get("events", [body]) if isinstance(body, dict) else []
    for event in events if isinstance(events, list) else []:
        if isinstance(event, dict) and "type" in event:
            known = {"type": "purchase", "member": {"card": "4711"}, "currency": "EUR", "data": None, "discount": None}
            event.update(known, occurred_at=None, tenders=[], source="api")


@pytest.mark.slow
def test_no_request_is_a_fault_of_ours(world: World) -> None:
    schema = schemathesis.openapi.from_dict(world.app.openapi())
    member = world.enrol(card="4711")["id"]
    event = world.call("POST", "/v1/events", json=PURCHASE | {"member": {"card": "4711"}}).json()["id"]
    tried = 0
    seen: set[int] = set()
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        for mode in schemathesis.GenerationMode:

            @hypothesis.settings(
                max_examples=10,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=list(hypothesis.HealthCheck),
                phases=[hypothesis.Phase.generate],
            )
            @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
            def check(case: schemathesis.Case[Any]) -> None:
                nonlocal tried
                tried += 1
                if "member_id" in case.path_parameters and tried % 2:
                    case.path_parameters["member_id"] = member
                if "event_id" in case.path_parameters and tried % 2:
                    case.path_parameters["event_id"] = event
                if tried % 2:
                    fit(case.body)
                answer = send(world, case)
                seen.add(answer.status_code)
                case.validate_response(answer, checks=CHECKS)

            try:
                check()
            except hypothesis.errors.Unsatisfiable:
                # An operation without parameters has no wrong ones.
                continue
    # Wrong requests and right ones: otherwise nothing was tried but one of the two.
    assert seen >= {200, 201, 404, 422}
