"""The app with a program, members and keys, as `api_world` makes it."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from api_world import world

__all__ = ["world"]


@pytest.fixture(autouse=True)
def _no_pictures_of_tracebacks() -> Iterator[None]:
    """Where logs are not configured, structlog paints each exception with all its variables, for seconds."""
    with capture_logs():
        yield
