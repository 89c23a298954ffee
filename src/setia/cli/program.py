"""`setia program`: check a definition, begin one from a template, and the schema for editors."""

from pathlib import Path
from typing import Annotated

import typer

from setia.cli.console import complain, out, print_data, say

program_app = typer.Typer(name="program", help="Work on program definitions.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(program_app)


@program_app.command()
def lint(
    path: Annotated[Path, typer.Argument(help="A YAML file, or a folder of them.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Check a definition. Exit code 1 if it has errors; warnings do not count."""
    from setia.program.findings import as_json as findings_as_json
    from setia.program.findings import as_text, has_errors
    from setia.program.lint import lint as find
    from setia.program.yaml_text import load

    findings = find(load(path))
    if as_json:
        typer.echo(findings_as_json(findings))
    elif findings:
        typer.echo(as_text(findings))
    errors = sum(finding.severity == "error" for finding in findings)
    say(f"{_counted(errors, 'error')}, {_counted(len(findings) - errors, 'warning')}")
    if has_errors(findings):
        raise typer.Exit(1)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@program_app.command()
def schema() -> None:
    """Print the JSON Schema of a definition, for editors that complete and check YAML."""
    from setia.program.json_schema import program_json_schema

    print_data(program_json_schema())


@program_app.command()
def new(
    template: Annotated[str, typer.Argument(help="Its name; a wrong one lists them all.")],
    path: Annotated[Path, typer.Argument(help="A new folder, or a new file that ends in .yaml.")],
) -> None:
    """Begin a definition from a template. Nothing is ever overwritten."""
    from setia.program.templates import template_files

    try:
        files = template_files(template)
    except KeyError as error:
        complain(str(error.args[0]))
        raise typer.Exit(1) from None
    is_file = path.suffix in {".yaml", ".yml"}
    if path.exists() and (is_file or not path.is_dir() or any(path.iterdir())):
        complain(f"{path} is there already, and nothing is overwritten: choose another path")
        raise typer.Exit(1)
    if is_file:
        path.parent.mkdir(parents=True, exist_ok=True)
        # "x" and not "w": another process may have been faster.
        with path.open("x", encoding="utf-8") as file:
            file.write(files["program.yaml"])
    else:
        path.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            with (path / name).open("x", encoding="utf-8") as file:
                file.write(text)
    say(f"Wrote {path}. Check it after each change: setia program lint {path}")


@program_app.command()
def show(path: Annotated[Path, typer.Argument(help="A YAML file, or a folder of them.")]) -> None:
    """Print what a program does, a sentence for each campaign."""
    from setia.program.findings import as_text
    from setia.program.outline import outline
    from setia.program.yaml_text import load

    loaded = load(path)
    if loaded.program is None:
        typer.echo(as_text(loaded.findings))
        raise typer.Exit(1)
    for name, text in outline(loaded.program):
        out.print(f"[bold]{name}[/]: ", end="", highlight=False)
        out.print(text, markup=False, highlight=False, soft_wrap=True)
