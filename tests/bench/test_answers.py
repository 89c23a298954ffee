"""What the load generator makes of the bytes that come back."""

import pytest
from bench.harness.answers import WrongAnswer, check_batch, check_single, whole

CREATED = b'HTTP/1.1 201 Created\r\ncontent-type: application/json\r\nContent-Length: 12\r\n\r\n{"id":"evt"}'


@pytest.mark.parametrize("missing", [1, 12, 13, 40])
def test_an_answer_is_whole_with_its_last_byte(missing: int) -> None:
    assert whole(CREATED)
    assert whole(bytearray(CREATED))
    assert not whole(CREATED[:-missing])


def test_an_answer_without_a_length_cannot_be_read() -> None:
    with pytest.raises(WrongAnswer, match="without a length"):
        whole(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")


def test_only_201_is_a_booked_event() -> None:
    check_single(CREATED)
    for status in (b"200 OK", b"422 Unprocessable Content", b"503 Service Unavailable"):
        with pytest.raises(WrongAnswer, match="not booked"):
            check_single(CREATED.replace(b"201 Created", status))


def test_a_batch_is_booked_to_its_last_event() -> None:
    check = check_batch(500)
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n"

    check(head + b'{"accepted":500,"refused":0,"results":[]}')
    with pytest.raises(WrongAnswer, match="as a whole"):
        check(head + b'{"accepted":499,"refused":1,"results":[]}')
    with pytest.raises(WrongAnswer, match="as a whole"):
        check(head.replace(b"200", b"401") + b'{"accepted":500,"refused":0,"results":[]}')
