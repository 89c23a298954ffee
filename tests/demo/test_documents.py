"""The commands of the README and of the tutorial, run one after the other as a reader types them.

A `sh` block is run; each line of the `text` block behind it must come up in what it wrote, in that order.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
END = "=== end of block ==="

pytestmark = pytest.mark.slow


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder in which `./dev run` calls this very installation, without making one."""
    script = tmp_path / "dev"
    script.write_text(f'#!/bin/sh\n[ "$1" = run ] || exit 2\nshift\nexec "{sys.executable}" -m setia "$@"\n')
    script.chmod(0o755)
    return tmp_path


def blocks(page: Path) -> Iterator[tuple[str, list[str]]]:
    """The commands of a page, each with the lines that must come up."""
    waiting: str | None = None
    for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "sh":
            if waiting is not None:
                yield waiting, []
            waiting = text
        else:
            assert waiting is not None, f"{text!r} stands behind no commands"
            yield waiting, text.splitlines()
            waiting = None
    if waiting is not None:
        yield waiting, []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(database_url: str, port: int) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("SETIA_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{own['PATH']}"
    # A database of one's own wants a secret of one's own, of which referrals make their fingerprints; a reader has the
    # embedded one.
    ours = {"SETIA_DATABASE_URL": database_url, "SETIA_SECRET_KEY": "5e" * 32, "SETIA_PORT": str(port)}
    return {**own, "PATH": path, **ours}


@pytest.mark.skipif(shutil.which("curl") is None, reason="THE DOCUMENTS ARE NOT TESTED: there is no curl here")
@pytest.mark.parametrize("page", ["README.md", "docs/tutorial/first-program.md"])
def test_a_page_does_what_it_says(page: str, checkout: Path, empty_database_url: str) -> None:
    told = list(blocks(ROOT / page))
    port = free_port()
    script = "".join(f"{commands}echo '{END}'\n" for commands, _ in told).replace("127.0.0.1:8000", f"127.0.0.1:{port}")

    with subprocess.Popen(
        ["sh", "-eu"],
        cwd=checkout,
        env=environment(empty_database_url, port),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            output, _ = shell.communicate(script, timeout=120)
        finally:
            # Whatever failed, the server that the page starts goes with its session.
            kill_session(shell.pid)

    assert shell.returncode == 0, output
    assert len(told) >= 4
    written = output.split(f"{END}\n")
    assert len(written) == len(told) + 1, output
    for (commands, expected), found in zip(told, written, strict=False):
        place = 0
        for line in expected:
            assert line in found[place:], f"{commands}\nshould write {line!r}, and wrote\n{found}"
            place = found.index(line, place) + len(line)


def kill_session(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
