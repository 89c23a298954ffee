"""How long a committer that is free waits for more: a moment, where that has been worth it before."""

from __future__ import annotations

SECONDS = 0.004
"""The longest. Who sends one event after the other is back within it, where the way is short."""
FEWEST, MOST = 4, 100
"""Together so many in the last transaction: for fewer there is nothing to share, and more share enough already."""
_LONGEST_PAUSE = 64


class Lingering:
    """Decides whether to wait for those who were answered just now, and learns from what came of it.

    A transaction has a fixed price, about as much as five events, so that fewer and larger ones carry more. Without
    waiting, half of those who send without pause are booked while the other half queues, and each pays twice as much.
    Callers who take longer to come back are not waited for: after each time in vain it is left alone for longer.
    """

    def __init__(self) -> None:
        self._last = 0
        self._in_vain = 0
        self._pause = 0

    def booked(self, events: int) -> None:
        """So many were booked together."""
        self._last = events

    def target(self, waiting: int) -> int:
        """Until how many wait it is worth waiting; 0: not at all."""
        if not FEWEST <= self._last <= MOST:
            return 0
        if self._pause:
            self._pause -= 1
            return 0
        return self._last + waiting

    def waited(self, *, reached: bool) -> None:
        """Whether those who were waited for came in time."""
        self._in_vain = 0 if reached else self._in_vain + 1
        self._pause = 0 if reached else min(2**self._in_vain, _LONGEST_PAUSE)
