"""Logs: one line an event, with the request's id, without personal data."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from setia.logs import WITHHELD, configure_logs, current_request_id, get_logger, log_context
from setia.settings import load_settings


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs(load_settings(log_format="json"), stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_with_its_keys(written: io.StringIO) -> None:
    get_logger("setia.events").info("event_decided", campaign="base", points=7)
    (line,) = lines(written)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "event_decided",
        "campaign": "base",
        "points": 7,
        "level": "info",
        "logger": "setia.events",
    }


def test_what_is_logged_for_a_request_carries_its_id(written: io.StringIO) -> None:
    with log_context(request_id="req_1"):
        assert current_request_id() == "req_1"
        get_logger("setia").info("inside")
        logging.getLogger("library").warning("in a %s", "library")
    get_logger("setia").info("outside")
    assert current_request_id() is None
    assert [(line["event"], line.get("request_id")) for line in lines(written)] == [
        ("inside", "req_1"),
        ("in a library", "req_1"),
        ("outside", None),
    ]


def test_personal_data_does_not_show(written: io.StringIO) -> None:
    get_logger("setia").info("m", email="ada@example.com", profile={"Phone": "123", "tier": "gold"}, token=None)
    get_logger("setia").info("m", members=[{"email": "ada@example.com"}], codes=({"code": 1},))
    first, second = lines(written)
    assert (first["email"], first["profile"], first["token"]) == (WITHHELD, {"Phone": WITHHELD, "tier": "gold"}, None)
    assert (second["members"], second["codes"]) == ([{"email": WITHHELD}], [{"code": WITHHELD}])


def test_values_in_errors_of_the_database_do_not_show(written: io.StringIO) -> None:
    error = RuntimeError("duplicate key\nDETAIL:  Key (email)=(ada@example.com) already exists.")
    get_logger("setia").error("write_failed", exc_info=error)
    logging.getLogger("library").error("write failed", exc_info=error)
    for line in lines(written):
        assert "RuntimeError: duplicate key" in line["exception"]
        assert "ada@" not in line["exception"]


def test_what_is_less_than_the_level_is_not_written(written: io.StringIO) -> None:
    get_logger("setia").debug("small")
    logging.getLogger("library").debug("small")
    logging.getLogger("alembic.runtime").info("small")
    assert lines(written) == []


def test_people_get_a_line_without_colours_where_no_terminal_is(written: io.StringIO) -> None:
    stream = io.StringIO()
    configure_logs(load_settings(), stream=stream)
    get_logger("setia").info("event_decided", points=7)
    assert "event_decided" in stream.getvalue()
    assert "points=7" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
