"""`./dev test cases`: the published behaviour of other systems, played through the API."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

import structlog

from cases.published import FILE, read_cases
from cases.report import as_data, as_text, count, summary
from cases.shop import scratch
from cases.translation import try_case


def main() -> int:
    """Play the cases and report. Exit code 1 where one fails, 2 where there are none."""
    parser = argparse.ArgumentParser(prog="./dev test cases", description=__doc__)
    parser.add_argument("ids", nargs="*", metavar="ID", help="only cases whose id is this, or begins with it")
    parser.add_argument("--file", type=Path, default=FILE, help="another file of cases, one JSON object a line")
    parser.add_argument("--json", action="store_true", help="as JSON; the summary goes to standard error")
    asked = parser.parse_args()
    cases = read_cases(asked.file, asked.ids)
    if not cases:
        sys.stderr.write(f"no case {' '.join(asked.ids)} in {asked.file}\n".replace("  ", " "))
        return 2
    with scratch() as server:
        results = [try_case(server, case) for case in cases]
    if asked.json:
        sys.stdout.write(f"{json.dumps(as_data(results), indent=2)}\n")
        sys.stderr.write(f"{summary(results)}\n")
    else:
        sys.stdout.write(f"{as_text(results)}\n")
    return 1 if count(results)["failed"] else 0


if __name__ == "__main__":
    # Only here: in a process of tests it would silence the logs of all that come after.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    sys.exit(main())
