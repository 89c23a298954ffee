"""Every example of the API reference that is about referrals is a request that succeeds."""

from typing import Any

import jsonschema_rs

from api_world import World
from referrals.friends import listed, member, open_shop


def test_every_example_is_executed(world: World) -> None:
    open_shop(world, link="https://shop.example/join?ref={code}")
    ada = member(world, "ada")
    document = world.app.openapi()
    tried = set()

    def send(method: str, path: str, **more: str) -> Any:
        operation = document["paths"][path][method.lower()]
        body: dict[str, Any] = {}
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            sent = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["examples"][0]
            known = {"members": [ada], "referrer": ada}
            body = {"json": sent | {name: value for name, value in known.items() if name in sent}}
        answer = world.call(method, path.format(**more), **body)
        assert answer.status_code in {200, 201}, (path, answer.text)
        shape = operation["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
        jsonschema_rs.validator_for({**shape, "components": document["components"]}).validate(answer.json())
        tried.add((method, path))
        return answer.json()

    code = send("POST", "/v1/referrals/codes")["codes"][0]["code"]
    assert send("POST", "/v1/referrals")["referrer"] == ada
    member(world, "bob", referral_code=code)
    assert [one["state"] for one in send("GET", "/v1/referrals")["items"]] == ["joined", "invited"]
    assert send("GET", "/v1/referrals/{referral_id}", referral_id=listed(world)[0]["id"])["state"] == "joined"
    assert send("GET", "/v1/referrals/funnel")["periods"][0]["began"] == 2
    assert send("GET", "/v1/members/{member_id}/referrals", member_id=ada)["counts"] == {"invited": 1, "joined": 1}
    assert send("PUT", "/v1/members/{member_id}/fingerprints", member_id=ada)["kept"] == {"device": 1, "payment": 1}
    declared = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation.get("tags") == ["referrals"]
    }
    assert tried == declared
