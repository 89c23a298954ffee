"""Problems: the shape of every answer that is not a success."""

import pytest

from setia import problems
from setia.problems import ErrorItem, Problem, ProblemDetails

KINDS = [kind for kind in vars(problems).values() if isinstance(kind, type) and issubclass(kind, Problem)]


def test_a_problem_is_a_body_as_rfc_9457_has_it() -> None:
    problem = problems.Unprocessable(
        "Quantity is negative.",
        errors=[ErrorItem(pointer="#/lines/0/quantity", message="must not be negative", hint="Send a return instead.")],
        extra={"limit": 7},
    )
    assert problem.as_dict("req_1") == {
        "type": "urn:setia:problem:unprocessable",
        "title": "The request breaks a rule",
        "status": 422,
        "code": "unprocessable",
        "detail": "Quantity is negative.",
        "request_id": "req_1",
        "errors": [
            {"pointer": "#/lines/0/quantity", "message": "must not be negative", "hint": "Send a return instead."}
        ],
        "limit": 7,
    }
    assert str(problem) == "Quantity is negative."


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_something_without_being_told_what(kind: type[Problem]) -> None:
    problem = kind()
    assert str(problem) == kind.title
    assert ProblemDetails.model_validate(problem.as_dict()).code == kind.code


def test_no_two_kinds_share_a_code() -> None:
    own = [kind.code for kind in KINDS if kind is not problems.InternalError]
    assert len(own) == len(set(own))


def test_some_problems_say_more_in_headers() -> None:
    assert problems.TooManyRequests(retry_after=30).headers == {"Retry-After": "30"}
    assert problems.Unavailable(headers={"X": "y"}).headers == {"Retry-After": "1", "X": "y"}
    assert problems.Unauthorized(scheme="Basic").headers == {"WWW-Authenticate": "Basic"}
