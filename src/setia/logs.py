"""Logs: one line an event on stderr, for people or for machines, with the request's id and without personal data."""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from setia.settings import Settings, no_color

WITHHELD = "[withheld]"
# The last guard, not the first: whoever logs gives pseudonymous ids. A key that slips through is still not shown.
_PERSONAL = frozenset(
    {
        *("address", "authorization", "birthday", "card", "code", "cookie", "email", "first_name", "identifier"),
        *("last_name", "otp", "passwd", "password", "phone", "pin", "secret", "token"),
    }
)
# PostgreSQL puts the offending values into these lines of a message, as in `Key (email)=(a@b.example) already exists`.
_VALUES_IN_ERRORS = re.compile(r"^(\s*)(DETAIL|CONTEXT|\[parameters:).*$", re.MULTILINE)
_NOISY = {
    "alembic": logging.WARNING,
    "sqlalchemy.engine": logging.WARNING,
    "httpx": logging.WARNING,
    "procrastinate": logging.WARNING,
}


def configure_logs(settings: Settings, *, stream: TextIO | None = None) -> None:
    """Set up structlog, and send what libraries log by the standard way through the same steps."""
    out = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        withhold_personal_data,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=out.isatty() and not no_color())
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name, level in _NOISY.items():
        logging.getLogger(name).setLevel(max(level, root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared[:3],
            *shared[4:],
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger. Events are short and constant, what varies goes into keys: `log.info("event_decided", event=id)`."""
    return structlog.stdlib.get_logger(name)


@contextmanager
def log_context(**values: Any) -> Iterator[None]:
    """Add these keys to every line logged inside, for instance `request_id`."""
    with structlog.contextvars.bound_contextvars(**values):
        yield


def current_request_id() -> str | None:
    """The id of the request being answered, when `log_context(request_id=...)` is around us."""
    found = structlog.contextvars.get_contextvars().get("request_id")
    return str(found) if found is not None else None


def withhold_personal_data(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide values whose key says that they are personal or secret, at any depth, and values inside database errors."""
    for key, value in event.items():
        event[key] = _shown(key, value)
    if isinstance(event.get("exception"), str):
        event["exception"] = _VALUES_IN_ERRORS.sub(rf"\1\2 {WITHHELD}", event["exception"])
    return event


def _shown(key: str, value: Any) -> Any:
    if key.lower() in _PERSONAL and value is not None:
        return WITHHELD
    if isinstance(value, dict):
        return {inner: _shown(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(key, item) for item in value]
    return value
