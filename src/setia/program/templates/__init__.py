"""Complete programs to begin with: each is a folder of YAML beside this file."""

from __future__ import annotations

from pathlib import Path

from setia.program.definition import Program
from setia.program.yaml_text import load

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Return the names of all templates, sorted."""
    return sorted(path.name for path in _FOLDER.iterdir() if (path / "program.yaml").is_file())


def template_folder(name: str) -> Path:
    """Return the folder with a template's files.

    Raises:
        KeyError: there is no such template; the message names those there are.
    """
    if name not in names():
        raise KeyError(f"there is no template {name!r}; there are {', '.join(names())}")
    return _FOLDER / name


def template_files(name: str) -> dict[str, str]:
    """Return a template's files as they are written, with their comments: file name -> text.

    Raises:
        KeyError: there is no such template.
    """
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(template_folder(name).glob("*.yaml"))}


def load_template(name: str) -> Program:
    """Return a template as a program.

    Raises:
        KeyError: there is no such template.
    """
    return load(template_folder(name)).require()
