"""How findings are written."""

import json

from setia.program.findings import Finding, as_json, as_text, has_errors, in_order, pointer

ERROR = Finding("error", "unknown_key", "there is no setting 'a' here", "did you mean 'b'?", "p.yaml", 3, 7, "/a")
WARNING = Finding("warning", "unused_event", "no campaign uses the event 'x'", path="/events/x")


def test_text_has_place_code_and_hint() -> None:
    assert as_text([ERROR, WARNING]) == (
        "p.yaml:3:7: error[unknown_key]: there is no setting 'a' here\n"
        "    hint: did you mean 'b'?\n"
        "/events/x: warning[unused_event]: no campaign uses the event 'x'"
    )


def test_json_has_every_part() -> None:
    assert json.loads(as_json([ERROR])) == [
        {
            "severity": "error",
            "code": "unknown_key",
            "message": "there is no setting 'a' here",
            "hint": "did you mean 'b'?",
            "file": "p.yaml",
            "line": 3,
            "column": 7,
            "path": "/a",
        }
    ]


def test_they_are_sorted_by_place_and_said_once() -> None:
    later = Finding("error", "a", "m", file="p.yaml", line=10, column=1)
    assert in_order([later, ERROR, ERROR]) == [ERROR, later]


def test_only_errors_are_errors() -> None:
    assert has_errors([WARNING, ERROR])
    assert not has_errors([WARNING])


def test_pointers_are_escaped() -> None:
    assert pointer(("a/b", 0, "~c")) == "/a~1b/0/~0c"
