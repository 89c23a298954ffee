"""The app, for tests of velocity rules and reviews."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from api_world import world

__all__ = ["world"]


@pytest.fixture(autouse=True)
def _no_pictures_of_tracebacks() -> Iterator[None]:
    with capture_logs():
        yield
