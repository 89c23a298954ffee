"""Every example of the API reference that is about rewards is a request that succeeds."""

from typing import Any

import jsonschema_rs

from api_world import World
from rewards.counter import member, open_shop

PROGRAM = {
    "free_coffee": {"kind": "voucher"},
    "mug": {"kind": "physical"},
    "lounge": {"kind": "entitlement"},
    "weekend": {"kind": "raffle"},
    "ticket": {"kind": "partner", "partner": "Odeon", "webhook": {"url": "https://odeon.example/"}},
    "film": {"kind": "partner", "partner": "Kino", "code": {"pool": "cinema"}},
}


def example(document: dict[str, Any], path: str) -> Any:
    body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return document["components"]["schemas"][body["$ref"].rpartition("/")[2]]["examples"][0]


def test_every_example_is_executed(world: World) -> None:
    open_shop(world, rewards=PROGRAM)
    who = member(world)
    document = world.app.openapi()
    tried = set()

    def send(method: str, path: str, sent: Any = None, **ids: str) -> Any:
        more = {} if sent is None else {"json": sent}
        answer = world.call(method, path.format(**ids), **more)
        assert answer.status_code in {200, 201}, (path, answer.text)
        schema = document["paths"][path][method.lower()]["responses"][str(answer.status_code)]["content"]
        schema = schema["application/json"]["schema"]
        jsonschema_rs.validator_for({**schema, "components": document["components"]}).validate(answer.json())
        tried.add((method, path))
        return answer.json()

    one, codes = "/v1/redemptions/{redemption_id}", "/v1/codes/"
    send("GET", "/v1/rewards")
    send("GET", "/v1/members/{member_id}/rewards", member_id=who)
    made = send("POST", "/v1/redemptions", example(document, "/v1/redemptions") | {"member": who})
    send("POST", f"{codes}validate", example(document, f"{codes}validate") | {"code": made["code"]})
    send("POST", f"{codes}redeem", example(document, f"{codes}redeem") | {"code": made["code"]})
    send("POST", f"{codes}release", example(document, f"{codes}release"))
    held = world.call("POST", "/v1/redemptions", json={"member": who, "reward": "mug", "reference": "2"}).json()["id"]
    send("POST", f"{one}/confirm", example(document, f"{one}/confirm"), redemption_id=held)
    send("POST", f"{one}/fulfilment", example(document, f"{one}/fulfilment"), redemption_id=held)
    send("GET", one, redemption_id=held)
    send("POST", f"{one}/refund", redemption_id=held)
    held = world.call("POST", "/v1/redemptions", json={"member": who, "reward": "mug", "reference": "3"}).json()["id"]
    send("POST", f"{one}/cancel", redemption_id=held)
    found = world.call("GET", f"/v1/redemptions?member={who}").json()["items"]
    assert [row["state"] for row in found] == ["cancelled", "refunded", "confirmed"]
    tried.add(("GET", "/v1/redemptions"))
    send("POST", "/v1/code-pools/{pool}/codes", example(document, "/v1/code-pools/{pool}/codes"), pool="cinema")
    send("GET", "/v1/code-pools")
    for reward in ("lounge", "weekend"):
        body = {"member": who, "reward": reward, "confirm": True, "reference": reward}
        assert world.call("POST", "/v1/redemptions", json=body).status_code == 201
    send("GET", "/v1/members/{member_id}/entitlements", member_id=who)
    use, draws = "/v1/entitlements/", "/v1/raffles/{reward}/draws"
    send("POST", f"{use}use", example(document, f"{use}use") | {"member": who})
    send("POST", f"{use}release", example(document, f"{use}release"))
    drawn = "/v1/raffle-draws/{draw_id}/"
    draw = send("POST", draws, reward="weekend")["id"]
    send("POST", f"{drawn}draw", example(document, f"{drawn}draw"), draw_id=draw)
    send("GET", f"{drawn}tickets", draw_id=draw)
    send("GET", draws, reward="weekend")
    body = {"member": who, "reward": "ticket", "confirm": True, "reference": "ticket"}
    asked = world.call("POST", "/v1/redemptions", json=body).json()["id"]
    assert len(send("GET", "/v1/partner-deliveries")["items"]) == 1
    send("POST", f"{one}/delivery/retry", redemption_id=asked)
    send("POST", f"{one}/delivery/give-up", example(document, f"{one}/delivery/give-up"), redemption_id=asked)
    declared = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation.get("tags") == ["rewards"]
    }
    assert tried == declared
