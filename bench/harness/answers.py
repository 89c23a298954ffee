"""Answers as far as a load generator needs them: the status, and where one ends."""

from collections.abc import Callable

Check = Callable[[bytes], None]
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


class WrongAnswer(Exception):  # noqa: N818 - reads as what it is
    """The server did not book what was sent: the figures would mean nothing."""


def whole(received: bytes | bytearray) -> bool:
    """Whether an answer has come in to its last byte."""
    end = received.find(_END_OF_HEAD)
    if end < 0:
        return False
    head = bytes(received[:end]).lower()
    at = head.find(_LENGTH)
    if at < 0:
        raise WrongAnswer(f"an answer without a length: {head!r}")
    length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])
    return len(received) >= end + len(_END_OF_HEAD) + length


def check_single(answer: bytes) -> None:
    """Refuse anything but a 201."""
    if not answer.startswith(b"HTTP/1.1 201 "):
        raise WrongAnswer(f"not booked: {answer[:2000]!r}")


def check_batch(size: int) -> Check:
    """Make the check that a batch was booked to its last event."""
    wanted = b'{"accepted":%d,"refused":0,' % size

    def check(answer: bytes) -> None:
        body = answer[answer.find(_END_OF_HEAD) + len(_END_OF_HEAD) :]
        if not answer.startswith(b"HTTP/1.1 200 ") or not body.startswith(wanted):
            raise WrongAnswer(f"not booked as a whole: {answer[:2000]!r}")

    return check
