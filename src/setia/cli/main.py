"""`setia`: finds its commands, and says what went wrong without a traceback."""

import importlib
import pkgutil
import sys
import traceback
from typing import Annotated

import typer

import setia
import setia.cli
from setia.cli.console import complain, out, print_data, say

EXIT_FAILED = 1
EXIT_USAGE = 2

app = typer.Typer(
    name="setia",
    help="Setia, a self-hosted loyalty platform.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def options(
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Options before the command."""


@app.command()
def version(*, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Print the version."""
    if as_json:
        print_data({"setia": setia.__version__, "python": sys.version.split()[0]})
    else:
        out.print(f"setia {setia.__version__}", highlight=False)


def register_commands() -> None:
    """Let every module of this folder add its commands, in the order of their names."""
    for module in pkgutil.iter_modules(setia.cli.__path__, "setia.cli."):
        if module.name != __name__:
            register = getattr(importlib.import_module(module.name), "register", None)
            if register is not None:
                register(app)


register_commands()


def main() -> None:
    """Run the command line and end the process: 0 done, 1 failed, 2 wrongly called or set up, 130 interrupted.

    Typer itself ends wrong calls, Ctrl-C and a reader that has seen enough (`setia ... | head`).
    """
    try:
        app()
    except Exception as error:  # noqa: BLE001 - the last place where anything can be said about it
        sys.exit(explain(error, debug="--debug" in sys.argv))


def explain(error: Exception, *, debug: bool) -> int:
    """Say what went wrong on stderr, and give the exit code."""
    # Here and not above: `setia --help` needs none of them.
    from sqlalchemy.exc import DBAPIError

    from setia.db.engine import UNDEFINED_TABLE, sqlstate
    from setia.db.errors import DatabaseError
    from setia.problems import Problem
    from setia.settings import InvalidSettings

    if debug:
        traceback.print_exception(error)
    match error:
        case InvalidSettings():
            complain("Setia cannot start with these settings.")
            for fault in error.faults:
                say(f"  {fault}")
            return EXIT_USAGE
        case Problem():
            complain(f"{error.title}." if error.detail is None else error.detail)
            for item in error.errors:
                say(f"  {item.pointer}: {item.message}" + (f" {item.hint}" if item.hint else ""))
        case DatabaseError():
            complain(str(error))
        case DBAPIError() if sqlstate(error) == UNDEFINED_TABLE:
            complain("The database has no tables, or old ones. Bring it to this version: setia migrate")
        case _:
            complain(f"{type(error).__name__}: {error}")
            if not debug:
                say("This should not happen. Run it again as `setia --debug ...` to see where it comes from.")
    return EXIT_FAILED
