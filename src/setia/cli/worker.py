"""`setia worker`: run jobs, and nothing else."""

from __future__ import annotations

import typer

from setia.cli.console import say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(worker)


def worker() -> None:
    """Run jobs until it is told to stop, by SIGTERM or Ctrl-C.

    The server runs jobs too, unless SETIA_JOBS is false. Any number of workers may run, on any number of machines.
    """
    import signal

    from setia.db.engine import Database
    from setia.db.watchman import Watchman
    from setia.events.live import LivePrograms
    from setia.garbage import look_seldom
    from setia.jobs.worker import Worker
    from setia.logs import configure_logs
    from setia.rewards.part import partner_sender
    from setia.settings import load_settings

    settings = load_settings()
    configure_logs(settings)
    with Database.open(settings, role="worker") as database:
        watchman, programs = Watchman(database), LivePrograms(database)
        runner = Worker(database, programs, sender=partner_sender(database, programs, settings))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: runner.ask_to_stop())
        watchman.start()
        look_seldom()
        say("Setia runs jobs")
        try:
            runner.run()
        finally:
            watchman.stop()
