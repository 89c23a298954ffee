"""Whoever wants to know what was booked, when it is committed: referrals wait for a friend's purchase."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from setia.events.booked import Booked
from setia.problems import Problem

Listener = Callable[[int, Sequence[Booked]], None]
"""Is told the program and the events that were booked for its members, after the commit."""
_log = structlog.get_logger(__name__)


class Afterwards:
    """Tells listeners what was booked.

    It is a hint and no more: a process may die between the commit and the call, and imports tell nobody. So a listener
    looks up by itself, some time later, what it was not told.
    """

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def add(self, listener: Listener) -> None:
        """Let a listener be told from now on."""
        self._listeners.append(listener)

    def tell(self, program_id: int, answers: Sequence[Booked | Problem]) -> None:
        """Tell everybody; never raises: what is booked is booked, and its caller has to hear that."""
        if not self._listeners:
            return
        fresh = [one for one in answers if isinstance(one, Booked) and one.member_id is not None and not one.replayed]
        for listener in self._listeners if fresh else ():
            try:
                listener(program_id, fresh)
            except Exception:  # noqa: BLE001 - whatever fails there, the event is booked; the listener looks again later
                _log.exception("afterwards_failed", program_id=program_id, events=len(fresh))
