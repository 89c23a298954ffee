"""What runs in a process that dies while a friend's purchase leads to a reward."""

import os
import signal
from typing import Any
from unittest.mock import patch

from pydantic import SecretStr

from api_world import SECRET
from asgi_client import Client
from setia.db.engine import Database
from setia.events.own_events import OwnEvents
from setia.server import build
from setia.settings import Settings


def die(*_: Any) -> bool:
    """End this process at once, as by a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)
    return False


def buy_and_die(url: str, key: str, friend: str, where: str) -> None:
    """Buy for a friend; die after the purchase is committed, or when the reward is written and not committed yet."""
    write = OwnEvents.write

    def write_and_die(own: OwnEvents) -> None:
        write(own)
        die()

    deadly = (
        patch("setia.referrals.service.go_on", die)
        if where == "before"
        else patch.object(OwnEvents, "write", write_and_die)
    )
    settings = Settings(secret_key=SecretStr(SECRET))
    with deadly, Database(url) as database, Client(build(settings, database, rate_limit=0)) as client:
        event = {
            "type": "purchase",
            "external_id": "o1",
            "member": {"id": friend},
            "lines": [{"sku": "latte", "amount": "20.00"}],
        }
        client.request("POST", "/v1/events", json=event, headers={"Authorization": f"Bearer {key}"})
