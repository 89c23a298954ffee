"""The load generator for redemptions: a process of its own, with requests written beforehand.

It reads one `Redeeming` as JSON from stdin and writes one `Measured` as JSON to stdout.
"""

import json
import random
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

if __name__ == "__main__":  # started by its path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.harness.answers import check_single
from bench.harness.load import Loop, Measured


@dataclass(frozen=True, slots=True)
class Redeeming:
    """What to send: redemptions in one step, each with a reference of its own, of members chosen at random."""

    port: int
    key: str
    clients: int
    seconds: float
    reward: str
    till: str
    members: list[str]


def requests(load: Redeeming) -> Iterator[bytes]:
    """Requests without end."""
    chosen = random.Random(load.till)
    head = (
        "POST /v1/redemptions HTTP/1.1\r\nHost: setia\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {load.key}\r\nContent-Length: "
    )
    number = 0
    while True:
        number += 1
        body = json.dumps(
            {
                "member": chosen.choice(load.members),
                "reward": load.reward,
                "confirm": True,
                "till": load.till,
                "reference": str(number),
            }
        )
        yield f"{head}{len(body)}\r\n\r\n{body}".encode()


def send(load: Redeeming) -> Measured:
    """Send, and count what was redeemed; raises WrongAnswer at the first answer that is anything else."""
    connections = [socket.create_connection(("127.0.0.1", load.port)) for _ in range(load.clients)]
    try:
        return Loop(connections, requests(load), check_single, 1, None).run(load.seconds)
    finally:
        for connection in connections:
            connection.close()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C reaches it with its parent, which says what there is to say
    json.dump(asdict(send(Redeeming(**json.load(sys.stdin)))), sys.stdout)
