"""Every example of the API reference that is about gift cards or reward links is a request that succeeds."""

from typing import Any

import jsonschema_rs

from api_world import World
from gift_cards.drawer import issued, open_shop

REWARDS = {"voucher": {"kind": "gift_card", "card": "classic", "worth": {"amount": 0}}, "tree": {"kind": "donation"}}
LINKS = {"thank_you": {"rewards": ["voucher", "tree"]}}
TAGS = (["gift cards"], ["reward links"])


def test_every_example_is_executed(world: World) -> None:
    open_shop(world, rewards=REWARDS, reward_links=LINKS)
    document = world.app.openapi()
    tried = set()

    def send(method: str, path: str, more: dict[str, Any] | None = None, **ids: str) -> Any:
        operation = document["paths"][path][method.lower()]
        sent = None
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            name = schema.get("$ref", schema.get("allOf", [{}])[0].get("$ref", "")).rpartition("/")[2]
            sent = document["components"]["schemas"][name]["examples"][0] | (more or {})
        headers = {"Idempotency-Key": f"{method}-{path}-{ids}".replace(" ", "")}
        answer = world.call(method, path.format(**ids), headers=headers, **({} if sent is None else {"json": sent}))
        assert answer.status_code in {200, 201}, (path, answer.text)
        schema = operation["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
        jsonschema_rs.validator_for({**schema, "components": document["components"]}).validate(answer.json())
        tried.add((method, path))
        return answer.json()

    one, uses = "/v1/gift-cards/{card_id}", "/v1/gift-card-uses"
    card = send("POST", "/v1/gift-cards")
    other, who = issued(world, 1000), world.enrol(card="1")["id"]
    send("POST", "/v1/gift-cards/look-up", {"code": card["code"]})
    for what, more in {
        "load": {},
        "transfer": {"to": other["id"]},
        "pay-out": {},
        "block": {},
        "unblock": {},
        "extend": {},
        "assign": {"member": who},
    }.items():
        send("POST", f"{one}/{what}", more, card_id=card["id"])
    assert len(send("POST", "/v1/gift-cards/batch")["cards"]) == 2
    send("GET", "/v1/gift-cards")
    send("GET", one, card_id=card["id"])
    send("GET", f"{one}/entries", card_id=card["id"])
    taken = send("POST", uses, {"code": card["code"]})
    send("POST", f"{uses}/{{use_id}}/refund", use_id=taken["id"])
    held = {"code": card["code"], "till": "t", "amount": 1100, "capture": False}
    for reference, what in (("1", "capture"), ("2", "release")):
        use = world.call("POST", uses, json=held | {"reference": reference}).json()
        send("POST", f"{uses}/{{use_id}}/{what}", use_id=use["id"])
        send("GET", f"{uses}/{{use_id}}", use_id=use["id"])
    assert world.call("GET", f"{uses}?till=t&reference=1").json()["captured"] == 1000
    tried.add(("GET", uses))
    send("GET", "/v1/reports/gift-cards")

    link = send("POST", "/v1/reward-links")
    again = world.call(
        "POST", "/v1/reward-links", json={"kind": "thank_you", "amount": 1}, headers={"Idempotency-Key": "2"}
    )
    send("GET", "/v1/links/{token}", token=link["token"])
    send("POST", "/v1/links/{token}/choose", token=link["token"])
    send("GET", "/v1/reward-links")
    send("GET", "/v1/reward-links/{link_id}", link_id=link["id"])
    assert world.call("POST", f"/v1/links/{again.json()['token']}/choose", json={"reward": "tree"}).status_code == 200
    send("POST", "/v1/reward-links/{link_id}/fulfilment", link_id=again.json()["id"])
    last = world.call(
        "POST", "/v1/reward-links", json={"kind": "thank_you", "amount": 1}, headers={"Idempotency-Key": "3"}
    )
    send("POST", "/v1/reward-links/{link_id}/withdraw", link_id=last.json()["id"])
    send("GET", "/v1/reports/reward-links")
    declared = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation.get("tags") in TAGS
    }
    assert tried == declared
