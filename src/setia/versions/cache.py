"""What is made of a program version, once per process: versions never change, so nothing here is ever stale."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class VersionCache(Generic[T]):
    """Keeps the `most` versions used last; `load(program_id, number)` makes the object of one.

    A load runs once even if many threads ask at the same moment: compiling a large program takes long.
    """

    def __init__(self, load: Callable[[int, int], T], *, most: int = 64) -> None:
        self._load = load
        self._most = most
        self._lock = threading.Lock()
        self._made: OrderedDict[tuple[int, int], T] = OrderedDict()

    def get(self, program_id: int, number: int) -> T:
        """The object of a version. What `load` raises is raised, and not kept."""
        key = (program_id, number)
        # Reading a dict is safe without the lock; the order of use is only a hint for what to forget.
        found = self._made.get(key)
        if found is not None:
            return found
        with self._lock:
            found = self._made.get(key)
            if found is None:
                found = self._load(program_id, number)
                self._made[key] = found
                while len(self._made) > self._most:
                    self._made.popitem(last=False)
        return found
