"""Running a load generator: a program of its own, so that its processor time is not counted as the server's or ours."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bench.harness.load import Measured

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def measured_by(generator: str, wanted: "DataclassInstance") -> Measured:
    """What the generator at a path measures: it reads what is wanted as JSON, and writes one `Measured`."""
    done = subprocess.run(
        [sys.executable, str(Path(generator))],
        input=json.dumps(asdict(wanted)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Measured(**json.loads(done.stdout))
