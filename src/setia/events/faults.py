"""What is wrong with an event: all of it, each fault with its place."""

from __future__ import annotations

from setia.problems import ErrorItem


class Faults:
    """Collects what is wrong, so that a caller learns all of it at once."""

    def __init__(self, pointer: str) -> None:
        self.pointer = pointer
        self.items: list[ErrorItem] = []

    def add(self, pointer: str, message: str, hint: str | None = None) -> None:
        """One more; `pointer` is its place in the event, as in `lines/0/tax`."""
        self.items.append(ErrorItem(pointer=f"#{self.pointer}/{pointer}", message=message, hint=hint))
