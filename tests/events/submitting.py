"""Events on their way to a clerk, without the API around."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from setia.events.arrivals import draft
from setia.events.booking import Submission, UnknownPolicy


def submission(event: Mapping[str, Any] | bytes, unknown: UnknownPolicy | None = None) -> Submission:
    """Hand in one event."""
    raw = event if isinstance(event, bytes) else json.dumps(event).encode()
    return Submission(draft(raw, dt.datetime.now(dt.UTC)), "test", unknown)
