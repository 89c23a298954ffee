"""A client for tests: requests go straight into the app, on an event loop in a thread of its own."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response


class Client:
    """Used as a context; many threads may send at once."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self._opened: AbstractContextManager[BlockingPortal] | None = None

    def __enter__(self) -> Self:
        self._opened = start_blocking_portal()
        self._portal = self._opened.__enter__()
        self._lifespan = self._portal.wrap_async_context_manager(self.app.router.lifespan_context(self.app))
        self._lifespan.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._opened is not None
        self._lifespan.__exit__(kind, error, trace)
        self._opened.__exit__(kind, error, trace)

    def request(self, method: str, path: str, **more: Any) -> Response:
        """Send one request and wait for its answer."""
        answer: Response = self._portal.call(self._request, method, path, more)
        return answer

    def get(self, path: str, **more: Any) -> Response:
        """Send a GET."""
        return self.request("GET", path, **more)

    async def _request(self, method: str, path: str, more: dict[str, Any]) -> Response:
        content = more.get("content")
        if isinstance(content, Iterator):
            more["content"] = _asynchronous(content)
        transport = ASGITransport(self.app, raise_app_exceptions=False)
        async with AsyncClient(transport=transport, base_url="http://setia.test") as client:
            answer: Response = await client.request(method, path, **more)
            return answer


async def _asynchronous(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
