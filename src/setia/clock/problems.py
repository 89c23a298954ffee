"""What can be wrong with moving a clock."""

from __future__ import annotations

from setia.problems import Conflict, ErrorItem, Unprocessable


class NoTestClock(Conflict):
    """A live program lives by the real time, which nobody moves."""

    code = "program_not_in_test"
    title = "This program has no test clock"


class ClockBusy(Conflict):
    """Somebody else is moving this clock."""

    code = "clock_busy"
    title = "The clock is being advanced already"


class InvalidAdvance(Unprocessable):
    """The clock cannot be moved there."""

    code = "invalid_advance"
    title = "The clock cannot be moved there"

    @classmethod
    def of(cls, field: str, message: str, hint: str) -> InvalidAdvance:
        """One fault, of `to` or `by`."""
        return cls(message, errors=[ErrorItem(pointer=f"#/{field}", message=message, hint=hint)])
