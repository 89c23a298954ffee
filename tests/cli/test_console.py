"""What the command line writes where no terminal is."""

import subprocess
import sys

CODE = """
from rich.table import Table
from setia.cli.console import out
table = Table(*(f"column_{number}" for number in range(12)))
table.add_row(*["1,234,567,890"] * 12)
out.print(table)
"""


def test_a_table_in_a_pipe_is_not_cut() -> None:
    told = subprocess.run([sys.executable, "-c", CODE], capture_output=True, check=True, text=True).stdout
    assert told.count("1,234,567,890") == 12
    assert [f"column_{number}" in told for number in range(12)] == [True] * 12
    assert "\u2026" not in told
