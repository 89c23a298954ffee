"""Every example of the API reference under the tag `points` is a request that succeeds, with the documented answer."""

from typing import Any

import jsonschema_rs

from api_world import World
from events.shop import booked, go_live, program, purchase
from rewards.counter import give, member

REWARDS = {
    "pay": {"kind": "payment", "cost": {"stars": 1}, "worth": {"amount": "0.01"}, "quantities": {"most": 1000}},
    "free_coffee": {"kind": "voucher", "cost": {"stars": 5}},
}
SALES = {"top_up": {"points": "stars", "packages": [{"points": 1000, "money": "9.00"}]}}
VELOCITY = {"fast": {"per": "member", "every": "1h", "more_than": {"events": 0}, "on": "purchase"}}


def test_every_example_is_executed(world: World) -> None:
    go_live(world, program(rewards=REWARDS, sales=SALES, velocity=VELOCITY, households={}))
    who, other = member(world), member(world, 0, "2")
    give(world, who, 500)
    document = world.app.openapi()
    tried: set[tuple[str, str]] = set()

    def example(path: str) -> Any:
        body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        body = body.get("anyOf", [body])[0]
        return document["components"]["schemas"][body["$ref"].rpartition("/")[2]]["examples"][0]

    def send(method: str, path: str, sent: Any = None, query: str = "", **ids: str) -> Any:
        more: dict[str, Any] = {} if sent is None else {"json": sent}
        headers = {"Idempotency-Key": f"{method}{path}{len(tried)}"}
        answer = world.call(method, path.format(**ids) + query, headers=headers, **more)
        assert answer.status_code in {200, 201}, (path, answer.text)
        schema = document["paths"][path][method.lower()]["responses"][str(answer.status_code)]["content"]
        schema = schema["application/json"]["schema"]
        jsonschema_rs.validator_for({**schema, "components": document["components"]}).validate(answer.json())
        tried.add((method, path))
        return answer.json()

    pay = "/v1/payments"
    held = send("POST", pay, example(pay) | {"member": who})
    send("GET", pay, query="?till=shop&reference=basket-17")
    send("GET", f"{pay}/{{payment_id}}", payment_id=held["id"])
    send("POST", f"{pay}/{{payment_id}}/confirm", example(f"{pay}/{{payment_id}}/confirm"), payment_id=held["id"])
    send("POST", f"{pay}/{{payment_id}}/refund", payment_id=held["id"])
    held = send("POST", pay, example(pay) | {"member": who, "reference": "basket-18"})
    send("POST", f"{pay}/{{payment_id}}/cancel", payment_id=held["id"])

    send("GET", "/v1/sales")
    sold = send("POST", "/v1/point-sales", example("/v1/point-sales") | {"member": who})
    send("GET", "/v1/point-sales", query=f"?member={who}")
    one = "/v1/point-sales/{sale_id}"
    send("GET", one, sale_id=sold["id"])
    send("POST", f"{one}/refund", example(f"{one}/refund"), sale_id=sold["id"])

    for number, choice in enumerate(("approve", "void")):
        booked(world, purchase(f"o{number}"))
        [review] = send("GET", "/v1/reviews", query="?state=open")["items"]
        send("GET", "/v1/reviews/{review_id}", review_id=review["id"])
        path = f"/v1/reviews/{{review_id}}/{choice}"
        send("POST", path, example(path), review_id=review["id"])

    hh = "/v1/households"
    made = send("POST", hh, example(hh) | {"owner": who})["id"]
    one = f"{hh}/{{household_id}}"
    send("POST", f"{one}/members", example(f"{one}/members") | {"member": other}, household_id=made)
    send("GET", one, household_id=made)
    send("GET", "/v1/members/{member_id}/household", member_id=other)
    send("PUT", f"{one}/members/{{member_id}}", {"role": "child"}, household_id=made, member_id=other)
    for act in ("contributions", "draws", "redemptions"):
        send("POST", f"{one}/{act}", example(f"{one}/{act}") | {"member": who}, household_id=made)
    path = f"{one}/members/{{member_id}}/leave"
    send("POST", path, example(path), household_id=made, member_id=other)

    declared = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation.get("tags") == ["points"]
    }
    assert tried == declared
