"""A real server with a database of its own, and clients that never give up on an event: they send it until it is
acknowledged, and remember the first acknowledgement."""

import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from setia.db.embedded import EmbeddedServer

_AWAY = (ConnectionError, http.client.HTTPException, TimeoutError, OSError)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """`setia serve` in a process group of its own, and the embedded database behind it."""

    def __init__(self, data_dir: Path, workers: int = 1) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self._workers = workers
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = [EmbeddedServer(data_dir)]
        self.url = self._databases[0].start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SETIA_")}
        settings = {
            "SETIA_DATA_DIR": str(self.data_dir),
            "SETIA_RATE_LIMIT": "0",
            "SETIA_ACCESS_LOG": "false",
            "SETIA_LOG_LEVEL": "error",
        }
        with (self.data_dir / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "setia", "serve", "--port", str(self.port), "--workers", str(self._workers)],
                env=clean | settings,
                start_new_session=True,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(*_AWAY):
                if self.get("/readyz")[0] == 200:
                    return
            assert self._process.poll() is None, (self.data_dir / "serve.log").read_text()
            time.sleep(0.05)
        raise AssertionError("the server did not become ready")

    def get(self, path: str) -> tuple[int, bytes]:
        """Send a GET."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def kill(self) -> None:
        """End every process of the server in the middle of what it does."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def kill_database(self) -> None:
        """End the main process of PostgreSQL in the middle of what it does, and start it anew."""
        pid = int((self.data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
        again = EmbeddedServer(self.data_dir)
        again.start()
        self._databases.append(again)

    def close(self) -> None:
        """Stop everything."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        for database in reversed(self._databases):
            database.stop()


class Client(threading.Thread):
    """Sends events, one request after the other, each until it is acknowledged."""

    def __init__(self, server: Server, key: str, name: str, *, together: int = 1) -> None:
        super().__init__(name=name, daemon=True)
        self._server = server
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._together = together
        self._connection: http.client.HTTPConnection | None = None
        self.leaving = threading.Event()
        self.events: dict[str, dict[str, Any]] = {}
        self.acknowledged: dict[str, Any] = {}
        self.retries = 0
        self.unexpected: list[tuple[int, bytes]] = []
        self.last: tuple[int, bytes] | None = None

    def run(self) -> None:
        for number in itertools.count():
            if self.leaving.is_set():
                break  # only between events: every one that was sent is acknowledged in the end
            fresh = [self._event(f"{self.name}/{number}/{part}", number + part) for part in range(self._together)]
            self.events |= {event["external_id"]: event for event in fresh}
            for event in fresh if self._together == 1 else ():
                self.acknowledged[event["external_id"]] = self.insist(event)
            while self._together > 1 and fresh:
                fresh = self._send_batch(fresh)
        self.hang_up()

    def insist(self, event: dict[str, Any]) -> Any:
        """Send one event until it is acknowledged; give the answer."""
        while True:
            status, body = self._post("/v1/events", event)
            if status == 201:
                return json.loads(body)
            self._unanswered(status, body)

    def hang_up(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _event(self, external_id: str, number: int) -> dict[str, Any]:
        # Most events are of a few members, so that they meet; some bring a stranger, who is enrolled.
        card = f"{self.name}{number}" if number % 10 == 9 else str(number % 7)
        lines = [{"sku": "latte", "amount": "10.00"}]
        return {"type": "purchase", "external_id": external_id, "member": {"card": card}, "lines": lines}

    def _send_batch(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        status, body = self._post("/v1/events/batch", {"events": events})
        if status != 200:
            self._unanswered(status, body)
            return events
        again = []
        for event, result in zip(events, json.loads(body)["results"], strict=True):
            if result["status"] == 201:
                self.acknowledged[event["external_id"]] = result["event"]
            else:
                self._unanswered(result["status"], body)
                again.append(event)
        return again

    def _unanswered(self, status: int, body: bytes) -> None:
        self.retries += 1
        self.last = (status, body)
        if status and status < 500:
            self.unexpected.append(self.last)
            raise SystemExit
        time.sleep(0.02)

    def _post(self, path: str, sent: Any) -> tuple[int, bytes]:
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=20)
            self._connection.request("POST", path, json.dumps(sent), self._headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except _AWAY:
            self.hang_up()
            return 0, b""
