"""Every example of the API reference that is about coupons is a request that succeeds."""

from typing import Any

import jsonschema_rs

from api_world import World
from coupons.till import bought, open_shop


def example(document: dict[str, Any], path: str) -> Any:
    body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return document["components"]["schemas"][body["$ref"].rpartition("/")[2]]["examples"][0]


def test_every_example_is_executed(world: World) -> None:
    member = open_shop(world, next_order={"on": "purchase", "discount": {"percent": 5, "coupon": True}})
    document = world.app.openapi()
    tried = set()

    def send(method: str, path: str, sent: Any = None, **ids: str) -> Any:
        more: dict[str, Any] = {} if sent is None else {"json": sent}
        if path in {"/v1/coupons", "/v1/coupons/{coupon_id}/restore"} and method == "POST":
            more["headers"] = {"Idempotency-Key": "example"}
        answer = world.call(method, path.format(**ids), **more)
        assert answer.status_code in {200, 201}, (path, answer.text)
        schema = document["paths"][path][method.lower()]["responses"][str(answer.status_code)]["content"]
        schema = schema["application/json"]["schema"]
        jsonschema_rs.validator_for({**schema, "components": document["components"]}).validate(answer.json())
        tried.add((method, path))
        return answer.json()

    made = send("POST", "/v1/coupons", example(document, "/v1/coupons"))["coupons"]
    assert len(made) == 2
    assert send("POST", "/v1/coupons/codes", example(document, "/v1/coupons/codes"))["added"] == 1
    found = send("POST", "/v1/coupons/lookup", example(document, "/v1/coupons/lookup") | {"code": made[0]["code"]})
    one = "/v1/coupons/{coupon_id}"
    assert send("GET", one, coupon_id=made[0]["id"]) == found
    order_id = bought(world, "1", "20.00", made[1]["code"])["id"]
    asked = example(document, f"{one}/restore") | {"event": order_id}
    assert send("POST", f"{one}/restore", asked, coupon_id=made[1]["id"])["uses"] == 1
    send("POST", f"{one}/void", coupon_id=made[0]["id"])
    assert len(send("GET", "/v1/coupons")["items"]) == 3
    send("GET", "/v1/members/{member_id}/coupons", member_id=member)
    operations = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation.get("tags") == ["coupons"]
    }
    assert tried == operations
