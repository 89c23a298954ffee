"""`setia serve`: run the server."""

from typing import Annotated

import typer

from setia.cli.console import say


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
        say(f"Setia listens on http://{settings.host}:{settings.port}")
        Granian(
            "setia.server:create",
            factory=True,
            interface=Interfaces.ASGI,
            address=settings.host,
            port=settings.port,
            workers=settings.workers,
            loop=Loops.uvloop,
            log_level=LogLevels.warning,
            websockets=False,
        ).serve()
