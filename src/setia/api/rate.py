"""How many requests each key may make: a token bucket per key, in this process.

In the process and not in the database: the limit protects the server from a caller's runaway loop, and must cost
less than the request it refuses. With several processes each grants its share.
"""

import math
import time
from collections.abc import Callable, Hashable

from setia.problems import TooManyRequests

_MOST_BUCKETS = 10_000

Headers = tuple[tuple[bytes, bytes], ...]


class RateLimit:
    """Grants `per_second` requests a second to each key, and twice that at once; 0 grants everything."""

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second = per_second
        self.burst = per_second * 2
        self._clock = clock
        self._buckets: dict[Hashable, tuple[float, float]] = {}
        self._policy = (b"ratelimit-policy", f'"key";q={self.burst};w=2'.encode())

    def take(self, key: Hashable) -> Headers:
        """Take one token; give the headers that say what is left, or raise 429."""
        if not self.per_second:
            return ()
        now = self._clock()
        tokens, before = self._buckets.get(key, (float(self.burst), now))
        tokens = min(float(self.burst), tokens + (now - before) * self.per_second)
        if tokens < 1:
            self._buckets[key] = (tokens, now)
            wait = max(1, math.ceil((1 - tokens) / self.per_second))
            raise TooManyRequests(
                f"This key may make {self.per_second} requests a second.",
                retry_after=wait,
                headers={"RateLimit": f'"key";r=0;t={wait}', "RateLimit-Policy": self._policy[1].decode()},
            )
        if len(self._buckets) >= _MOST_BUCKETS and key not in self._buckets:
            self._buckets.clear()
        self._buckets[key] = (tokens - 1, now)
        return ((b"ratelimit", b'"key";r=%d;t=%d' % (int(tokens - 1), 1)), self._policy)
