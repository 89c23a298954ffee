"""`setia serve` says that it listens when it does, and ends when it cannot."""

import http.server
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from setia.cli.serve import Herald


class _Health(http.server.BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self) -> None:
        _Health.asked += 1
        # It is not ready when it is asked first.
        self.send_response(200 if self.path == "/healthz" and _Health.asked > 1 else 503)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    _Health.asked = 0
    with http.server.HTTPServer(("127.0.0.1", 0), _Health) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    messages: list[str] = []
    monkeypatch.setattr("setia.cli.serve.say", messages.append)
    monkeypatch.setattr("setia.cli.serve._LOOK_SECONDS", 0.01)
    return messages


def test_it_is_said_when_a_worker_answers(port: int, said: list[str]) -> None:
    herald = Herald("0.0.0.0", port)  # noqa: S104 - nothing is bound
    herald.start()
    deadline = time.monotonic() + 20
    while not said:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert said == [f"Setia listens on http://0.0.0.0:{port}"]
    assert _Health.asked == 2


def test_nothing_is_said_while_nobody_answers(said: list[str]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        herald = Herald("127.0.0.1", closed.getsockname()[1])
        herald.start()
        time.sleep(0.2)
        herald.stop()
    assert said == []


_BROKEN = """
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "setia.server":
            raise ImportError("this worker cannot start")

sys.meta_path.insert(0, Finder())
"""


def test_a_worker_that_cannot_start_ends_the_server(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(_BROKEN)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "SETIA_DATABASE_URL": database_url}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = str(probe.getsockname()[1])
    command = [sys.executable, "-m", "setia", "serve", "--port", free, "--workers", "1", "--no-migrate"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False, text=True, timeout=60)
    assert done.returncode == 1
    assert "this worker cannot start" in done.stdout + done.stderr
    assert "A worker process has ended; what is above says why. The server stops." in done.stderr
    assert "listens" not in done.stderr
