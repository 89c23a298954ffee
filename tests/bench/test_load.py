"""The load generator against a server of a few lines."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from bench.harness.answers import WrongAnswer, whole
from bench.harness.load import Load, send

BOOKED = b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}"


def wanted(port: int, **changes: int) -> Load:
    return Load(
        port=port,
        key="k",
        clients=changes.get("clients", 2),
        seconds=30,
        first_card=0,
        cards=10,
        source="load",
        occurred_at="2026-03-02T09:30:00+00:00",
        batch=changes.get("batch", 0),
        events=changes.get("events", 40),
    )


@contextmanager
def server(answer: bytes, received: list[bytes]) -> Iterator[int]:
    """Answers every request in two pieces, so that the generator has to put them together."""

    def talk(connection: socket.socket) -> None:
        with connection:
            pending = b""
            while piece := connection.recv(1 << 16):
                pending += piece
                if whole(pending):
                    received.append(pending)
                    pending = b""
                    connection.sendall(answer[:25])
                    connection.sendall(answer[25:])

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=talk, args=(connection,))
            thread.start()
            threads.append(thread)

    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        accepting = threading.Thread(target=accept)
        accepting.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    for thread in [accepting, *threads]:
        thread.join(10)


def test_it_sends_as_many_as_wanted_and_counts_them() -> None:
    received: list[bytes] = []

    with server(BOOKED, received) as port:
        measured = send(wanted(port))

    assert measured.events == len(received) == len(measured.latencies_us) == 40
    assert len(set(received)) == 40
    assert measured.seconds > 0


def test_a_batch_counts_its_events() -> None:
    received: list[bytes] = []
    answer = b'HTTP/1.1 200 OK\r\ncontent-length: 41\r\n\r\n{"accepted":10,"refused":0,"results":[ ]} '

    with server(answer, received) as port:
        measured = send(wanted(port, clients=1, batch=10))

    assert (measured.events, len(received)) == (40, 4)


def test_it_stops_at_the_first_event_that_was_not_booked() -> None:
    received: list[bytes] = []

    with server(BOOKED.replace(b"201", b"503"), received) as port, pytest.raises(WrongAnswer, match="503"):
        send(wanted(port, clients=1))

    assert len(received) == 1
