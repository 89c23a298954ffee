"""The commands of guides in docs/how-to, run one after the other as a reader types them.

A `sh` block is run; each line of the `text` block behind it must come up in what it wrote.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

GUIDES = Path(__file__).parents[2] / "docs" / "how-to"
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
END = "=== end of block ==="

pytestmark = pytest.mark.slow


def told(page: str) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for kind, text in BLOCK.findall((GUIDES / page).read_text(encoding="utf-8")):
        if kind == "sh":
            found.append((text, []))
        else:
            found[-1][1].extend(text.splitlines())
    return found


@pytest.mark.skipif(shutil.which("curl") is None, reason="THE HOW-TO IS NOT TESTED: there is no curl here")
@pytest.mark.parametrize("page", ["integrate-a-shop.md", "try-a-year.md"])
def test_the_guide_does_what_it_says(page: str, tmp_path: Path, empty_database_url: str) -> None:
    dev = tmp_path / "dev"
    dev.write_text(f'#!/bin/sh\n[ "$1" = run ] || exit 2\nshift\nexec "{sys.executable}" -m setia "$@"\n')
    dev.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    blocks = told(page)
    script = "".join(f"{commands}echo '{END}'\n" for commands, _ in blocks)
    script = script.replace("127.0.0.1:8000", f"127.0.0.1:{port}")
    own = {name: value for name, value in os.environ.items() if not name.startswith("SETIA_")}
    own["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{own['PATH']}"

    with subprocess.Popen(
        ["sh", "-eu"],
        cwd=tmp_path,
        env={**own, "SETIA_DATABASE_URL": empty_database_url, "SETIA_PORT": str(port)},
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
            end_session(shell.pid)

    assert shell.returncode == 0, output
    written = output.split(f"{END}\n")
    assert len(written) == len(blocks) + 1, output
    for (commands, expected), found in zip(blocks, written, strict=False):
        for line in expected:
            assert line in found, f"{commands}\nshould write {line!r}, and wrote\n{found}"


def end_session(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
