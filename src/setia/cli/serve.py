"""`setia serve`: run the server."""

import http.client
import threading
from typing import Annotated

import typer

from setia.cli.console import complain, say

_LOOK_SECONDS = 0.2
_ANSWER_SECONDS = 5.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of SETIA_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, instead of SETIA_PORT.")] = None,
    workers: Annotated[int | None, typer.Option(help="Number of processes, instead of SETIA_WORKERS.")] = None,
    migrate: Annotated[bool, typer.Option(help="Bring the database to this version first.")] = True,
) -> None:
    """Run the server until it is told to stop."""
    from granian import Granian
    from granian.constants import Interfaces, Loops
    from granian.log import LogLevels

    from setia.db.engine import Database
    from setia.db.migrate import upgrade
    from setia.logs import configure_logs
    from setia.settings import load_settings

    given = {"host": host, "port": port, "workers": workers}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    configure_logs(settings)
    # This process uses no connection while it serves, but it holds the embedded server for its workers: they come and
    # go, and the last one must not stop the database under the next.
    with Database.open(settings, role="serve") as database:
        if migrate:
            upgrade(database)
        database.engine.dispose()
        server = Granian(
            "setia.server:create",
            factory=True,
            interface=Interfaces.ASGI,
            address=settings.host,
            port=settings.port,
            workers=settings.workers,
            loop=Loops.uvloop,
            log_level=LogLevels.warning,
            websockets=False,
        )
        herald = Herald(settings.host, settings.port)
        # Not before the socket is ours: whoever holds it otherwise might answer.
        server.on_startup(herald.start)
        try:
            server.serve()
        except SystemExit as end:
            if end.code:
                complain("A worker process has ended; what is above says why. The server stops.")
            raise
        finally:
            herald.stop()


class Herald:
    """Says that the server listens when a worker answers, and not before: a worker may die while it starts."""

    def __init__(self, host: str, port: int) -> None:
        self._told = host
        # An address that stands for all of them is none to connect to.
        self._host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
        self._port = port
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="herald", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Say nothing any more."""
        self._stopping.set()

    def _run(self) -> None:
        # It waits first: while the workers are forked, this thread must hold no lock that they would inherit.
        while not self._stopping.wait(_LOOK_SECONDS):
            if self._answers():
                if not self._stopping.is_set():
                    host = f"[{self._told}]" if ":" in self._told else self._told
                    say(f"Setia listens on http://{host}:{self._port}")
                return

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
