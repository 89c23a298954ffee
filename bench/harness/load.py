"""The load generator: a process of its own, one loop over non-blocking sockets, requests written beforehand.

It reads one `Load` as JSON from stdin and writes one `Measured` as JSON to stdout. It imports nothing but the standard
library, and per request it does one send, one receive, a look at the status and at the length, and two readings of the
clock: what it takes from the server on a small machine is little, and is measured.
"""

import json
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

if __name__ == "__main__":  # started by its path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.harness.answers import Check, check_batch, check_single, whole
from bench.harness.processor import own_cpu_seconds
from bench.harness.purchases import baskets, batches, requests

_MOST = 1 << 20


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: `clients` connections, each with one request under way, until `seconds` or `events` are over."""

    port: int
    key: str
    clients: int
    seconds: float
    first_card: int
    cards: int
    source: str
    occurred_at: str
    batch: int = 0
    """Events per request; 0 sends single purchases."""
    events: int | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Measured:
    """What came back. `seconds` ends with the last answer."""

    events: int
    seconds: float
    latencies_us: list[int]
    """Of every request."""
    cpu_seconds: float
    """User and system time of the generator while it sent."""


def send(load: Load) -> Measured:
    """Send, and count what was booked; raises WrongAnswer at the first answer that is anything else."""
    several = baskets(load.source, load.occurred_at)
    cards = range(load.first_card, load.first_card + load.cards)
    size = load.batch or 1
    most = load.events // size if load.events is not None else None
    if load.batch:
        stream = batches(load.key, several, cards, load.seed, load.batch)
        check: Check = check_batch(load.batch)
    else:
        stream = requests(load.key, several, cards, load.seed)
        check = check_single
    connections = [socket.create_connection(("127.0.0.1", load.port)) for _ in range(load.clients)]
    try:
        return Loop(connections, stream, check, size, most).run(load.seconds)
    finally:
        for connection in connections:
            connection.close()


class Loop:
    """Sends requests over connections, one under way on each, and checks and times the answers."""

    def __init__(
        self, connections: list[socket.socket], stream: Iterator[bytes], check: Check, size: int, most: int | None
    ) -> None:
        self._by_number = {connection.fileno(): connection for connection in connections}
        self._stream = stream
        self._check = check
        self._size = size
        self._left = most if most is not None else sys.maxsize
        self._started: dict[int, float] = {}
        self._received: dict[int, bytearray] = {}
        self._unsent: dict[int, memoryview] = {}
        self._latencies: list[int] = []
        self._poll = select.epoll()

    def run(self, seconds: float) -> Measured:
        """Keep one request under way on each connection until the time is over, then wait for the last answers."""
        for number, connection in self._by_number.items():
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._poll.register(number, select.EPOLLIN)
        before, start = own_cpu_seconds(), time.perf_counter()
        until = start + seconds
        for number in self._by_number:
            self._begin(number)
        while self._started:
            for number, happened in self._poll.poll(30) or self._silence():
                if happened & select.EPOLLOUT:
                    self._go_on(number)
                elif self._receive(number) and time.perf_counter() < until:
                    self._begin(number)
        self._poll.close()
        took = time.perf_counter() - start
        return Measured(len(self._latencies) * self._size, took, self._latencies, own_cpu_seconds() - before)

    def _silence(self) -> list[tuple[int, int]]:
        raise TimeoutError("the server has not answered for 30 seconds")

    def _begin(self, number: int) -> None:
        if not self._left:
            return
        self._left -= 1
        request = next(self._stream)
        self._started[number] = time.perf_counter()
        self._unsent[number] = memoryview(request)
        self._go_on(number)

    def _go_on(self, number: int) -> None:
        rest = self._unsent[number]
        try:
            sent = self._by_number[number].send(rest)
        except BlockingIOError:
            sent = 0
        if sent == len(rest):
            del self._unsent[number]
            self._poll.modify(number, select.EPOLLIN)
        else:
            self._unsent[number] = rest[sent:]
            self._poll.modify(number, select.EPOLLOUT)

    def _receive(self, number: int) -> bool:
        """Take in what is there; True when that completes an answer."""
        piece = self._by_number[number].recv(_MOST)
        if not piece:
            raise ConnectionError("the server closed a connection")
        earlier = self._received.get(number)
        if earlier is not None:
            earlier += piece
        answer = piece if earlier is None else earlier
        if not whole(answer):
            if earlier is None:
                self._received[number] = bytearray(piece)
            return False
        took = time.perf_counter() - self._started.pop(number)
        self._received.pop(number, None)
        self._latencies.append(round(took * 1_000_000))
        self._check(bytes(answer))
        return True


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C reaches it with its parent, which says what there is to say
    json.dump(asdict(send(Load(**json.load(sys.stdin)))), sys.stdout)
