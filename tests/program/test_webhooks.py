"""The `webhook` of a partner's reward: which addresses it takes, and with what it does not go."""

from typing import Any

import pytest
from pydantic import ValidationError

from setia.program.definition import Program
from setia.program.lint import lint
from setia.program.rewards import Reward
from setia.program.webhooks import Webhook
from setia.program.yaml_text import load


@pytest.mark.parametrize(
    "url",
    [
        "https://partner.example/a?b=c",
        "https://partner.example:8443",
        "http://127.0.0.1:9000/x",
        "HTTPS://[2a00::1]:444/",
    ],
)
def test_addresses_of_web_servers_are_taken(url: str) -> None:
    assert Webhook(url=url).is_secret == (not url.startswith("http:"))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://partner.example/", "no address of a web server"),
        ("partner.example/x", "no address of a web server"),
        ("https:///x", "no address of a web server"),
        ("https://a_b.example/", "no address of a web server"),
        ("https://partner.example:0/", "no address of a web server"),
        ("https://partner.example:99999/", "no address of a web server"),
        ("https://[::1/", "no address of a web server"),
        ("https://me:secret@partner.example/", "with a password"),
        ("https://partner.example/#x", "with a password or a `#`"),
        ("https://partner.example/ x", "should match pattern"),
        ("https://partner.example/\r\nX-A: b", "should match pattern"),
        ("https://bücher.example/", "should match pattern"),
    ],
)
def test_other_addresses_are_refused(url: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Webhook(url=url)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"kind": "physical"}, "`webhook` asks a partner"),
        ({"code": {"pool": "p"}}, "brings the code"),
    ],
)
def test_it_is_for_partners_and_brings_the_code(more: dict[str, Any], why: str) -> None:
    reward = {"kind": "partner", "partner": "Odeon", "webhook": {"url": "https://odeon.example/"}}
    assert Reward.model_validate(reward).webhook is not None
    with pytest.raises(ValidationError, match=why):
        Reward.model_validate({**reward, **more})


PROGRAM = """
program: {id: shop, name: Shop, currency: EUR}
points: {stars: {}}
rewards:
  film: {kind: partner, partner: Odeon, webhook: {url: "http://10.0.0.7/orders"}}
reward_links:
  sorry: {amount: 5.00, rewards: [film]}
"""


def test_lint_warns_of_plain_http_and_of_links() -> None:
    found = {(one.severity, one.code, one.path) for one in lint(load(PROGRAM))}
    assert ("warning", "webhook_not_secret", "/rewards/film/webhook/url") in found
    assert ("error", "not_for_links", "/reward_links/sorry/rewards/0") in found


def test_the_definition_goes_round() -> None:
    whole = load(PROGRAM).require()
    assert Program.model_validate_json(whole.model_dump_json(by_alias=True)) == whole
