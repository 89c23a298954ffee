"""Every example of the API reference that is about moving points and merging is a request that succeeds."""

from typing import Any

import jsonschema_rs

from api_world import World
from moving.movers import give, member, open_club


def example(document: dict[str, Any], path: str) -> Any:
    body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return document["components"]["schemas"][body["$ref"].rpartition("/")[2]]["examples"][0]


def test_every_example_is_executed(world: World) -> None:
    open_club(world)
    who, _, third = member(world, "1", 100), member(world, "47110815"), member(world, "3", 5)
    give(world, who, 1000, "miles")
    document = world.app.openapi()
    tried: set[tuple[str, str]] = set()

    def send(method: str, path: str, sent: Any = None, **ids: str) -> Any:
        more: dict[str, Any] = {} if sent is None else {"json": sent}
        headers = {"Idempotency-Key": f"example-{len(tried)}"}
        answer = world.call(method, path.format(**ids), headers=headers, **more)
        assert answer.status_code in {200, 201}, (path, answer.text)
        schema = document["paths"][path][method.lower()]["responses"][str(answer.status_code)]["content"]
        schema = schema["application/json"]["schema"]
        jsonschema_rs.validator_for({**schema, "components": document["components"]}).validate(answer.json())
        tried.add((method, path))
        return answer.json()

    one = "/v1/transfers/{transfer_id}"
    asked = example(document, "/v1/transfers") | {"from": {"id": who}}
    send("POST", "/v1/transfers/preview", asked)
    made = send("POST", "/v1/transfers", asked)["id"]
    send("GET", one, transfer_id=made)
    send("POST", f"{one}/reverse", example(document, f"{one}/reverse"), transfer_id=made)
    send("GET", "/v1/members/{member_id}/transfers", member_id=who)
    asked = example(document, "/v1/exchanges") | {"member": {"id": who}}
    send("POST", "/v1/exchanges/preview", asked)
    send("POST", "/v1/exchanges", asked)
    path = "/v1/members/{member_id}/merge"
    merged = send("POST", path, example(document, path) | {"duplicate": third}, member_id=who)["id"]
    send("GET", "/v1/members/{member_id}/merges", member_id=who)
    send("GET", "/v1/merges/{merge_id}", merge_id=merged)
    path = "/v1/merges/{merge_id}/undo"
    send("POST", path, example(document, path), merge_id=merged)
    declared = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation.get("tags") == ["moving"]
    }
    assert tried == declared
