"""Which of several interpreters runs Python quickest: the first, unless another one is clearly quicker.

    python3 tools/quickest_python.py python3 /usr/bin/python3.11 ...

Of one version there are builds that differ by a quarter: one that its distribution compiled with profiles and linked as
one program, and one that a version manager compiled without. Nothing but the standard library: `./dev` calls it before
there is an environment.
"""

import subprocess
import sys
from pathlib import Path

CLEARLY = 0.9
"""Less than this share of the first one's time. What is not clear is left as the PATH has it."""
_ROUNDS = 3
# What the engine does all day: attributes of slots, small dictionaries, tuples, calls. Prints the least of five times.
_LOOP = """
import time
class Account:
    __slots__ = ("step", "balances")
    def __init__(self):
        self.step, self.balances = 1, {}
    def book(self, key):
        self.balances[key] = self.balances.get(key, 0) + self.step
        return [(place, self) for place in range(4) if place & 1]
def took():
    account, start = Account(), time.process_time()
    for number in range(40_000):
        account.book(number & 255)
    return time.process_time() - start
print(min(took() for _ in range(5)))
"""


def seconds(interpreter: str) -> float:
    """How long an interpreter takes for the loop; endless for one that does not run."""
    try:
        done = subprocess.run([interpreter, "-I", "-c", _LOOP], capture_output=True, text=True, timeout=60, check=True)
        return float(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return float("inf")


def quickest(interpreters: list[str]) -> str:
    """The first of them, or the quickest if it is clearly quicker; measured in turns, since machines are noisy."""
    if len({Path(one).resolve() for one in interpreters}) == 1:
        return interpreters[0]
    taken = dict.fromkeys(interpreters, float("inf"))
    for _ in range(_ROUNDS):
        for one in taken:
            taken[one] = min(taken[one], seconds(one))
    best = min(taken, key=lambda one: taken[one])
    first = interpreters[0]
    return best if taken[best] < taken[first] * CLEARLY else first


if __name__ == "__main__":
    print(quickest(sys.argv[1:]))
