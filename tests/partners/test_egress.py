"""One POST to a stranger's server: what comes back, what is refused, and how long it is waited for."""

import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from partner import Partner, Reply, says
from setia.partners.addresses import parse_networks
from setia.partners.egress import LONGEST_ANSWER, Egress, Received, Timeouts, Unreached

HOME = parse_networks("127.0.0.0/8")
QUICK = Timeouts(connect=1, read=0.3, total=0.6)


def post(reply: Reply, **more: Any) -> Received:
    with Partner(reply).open() as partner:
        return Egress(HOME, QUICK).post(more.get("url", partner.url), {"webhook-id": "1"}, b"{}")


def raw(*pieces: bytes, pause: float = 0.0) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        for piece in pieces:
            handler.wfile.write(piece)
            handler.wfile.flush()
            time.sleep(pause)
        handler.close_connection = True

    return reply


def test_an_answer_comes_back_whole_and_the_request_is_what_was_said() -> None:
    with Partner(says(201, b"x" * LONGEST_ANSWER)).open() as partner:
        assert Egress(HOME).post(partner.url, {"webhook-id": "7"}, b"{}") == (201, b"x" * LONGEST_ANSWER, None)
    [(headers, body)] = partner.seen
    assert (headers["webhook-id"], headers["host"], body) == ("7", f"127.0.0.1:{partner.port}", b"{}")


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with Partner(says(200)).open() as target:
        assert post(says(307, Location=target.url)).status == 307
    assert target.seen == []


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (says(200, b"x" * (LONGEST_ANSWER + 1)), "longer than 65536 bytes"),
        (raw(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 9000] * 20), "longer than 65536 bytes"),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), "ended too soon"),
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), "IncompleteRead"),
        (raw(b"nonsense\r\n\r\n"), "BadStatusLine"),
        (raw(), "RemoteDisconnected"),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 101 + b"\r\n"), "HTTPException"),
        (raw(b"HTTP/1.1 200 OK\r\na: " + b"b" * 70_000), "LineTooLong"),
        (lambda _: time.sleep(0.5), r"within 0\.\d seconds"),
    ],
)
def test_what_is_no_whole_answer_is_none(reply: Reply, why: str) -> None:
    with pytest.raises(Unreached, match=why):
        post(reply)


@pytest.mark.parametrize(
    "reply",
    [
        raw(b"HTTP/1.1 200 OK\r\n", *[b"a: b\r\n"] * 12, pause=0.1),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", *[b"x"] * 12, pause=0.1),
        raw(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x"] * 12, pause=0.1),
    ],
)
def test_a_trickle_is_cut_off_in_the_head_and_in_the_body(reply: Reply) -> None:
    began = time.monotonic()
    with Partner(reply).open() as partner, pytest.raises(Unreached, match="no whole answer"):
        try:
            Egress(HOME, QUICK).post(partner.url, {}, b"")
        finally:
            took = time.monotonic() - began
    assert took < 1.1


def test_nobody_at_home() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}/"
        with pytest.raises(Unreached, match="ConnectionRefusedError"):
            Egress(HOME, QUICK).post(url, {}, b"")


@contextmanager
def _names(monkeypatch: pytest.MonkeyPatch, found: Callable[[], list[str]]) -> Iterator[list[str]]:
    asked: list[str] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found()]

    real = socket.getaddrinfo

    def first(host: str, port: int, *rest: Any, **more: Any) -> Any:
        if host.endswith(".example"):
            return look_up(host, port)
        return real(host, port, *rest, **more)

    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", first)
        yield asked


@pytest.mark.parametrize("private", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "0.1.2.3", "224.0.0.1"])
@pytest.mark.parametrize("url", ["https://{}/", "http://{}:8080/"])
def test_an_address_inside_is_refused_by_number_and_by_name(
    monkeypatch: pytest.MonkeyPatch, private: str, url: str
) -> None:
    with pytest.raises(Unreached, match="not public"):
        Egress().post(url.format(private), {}, b"")
    with _names(monkeypatch, lambda: ["1.1.1.1", private]), pytest.raises(Unreached, match="not public"):
        Egress().post("https://partner.example/", {}, b"")


@pytest.mark.parametrize("number", ["2130706433", "0x7f.1", "017700000001", "127.1"])
def test_other_ways_to_write_a_number_are_judged_as_what_they_mean(number: str) -> None:
    with pytest.raises(Unreached, match=r"not public|not found"):
        Egress().post(f"https://{number}/", {}, b"")


def test_a_name_is_looked_up_once_and_the_judged_address_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    # the second look-up of a rebinding name would be another address
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    with Partner(says(200, b"ok")).open() as partner, _names(monkeypatch, lambda: next(answers)) as asked:
        found = Egress(HOME, QUICK).post(f"http://partner.example:{partner.port}/", {}, b"")
    assert (found.body, asked) == (b"ok", ["partner.example"])
    assert partner.seen[0][0]["host"] == f"partner.example:{partner.port}"


def test_the_next_address_is_tried_where_one_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with Partner(says(200)).open() as partner, _names(monkeypatch, lambda: ["127.0.0.77", "127.0.0.1"]):
        assert Egress(HOME, QUICK).post(f"http://partner.example:{partner.port}/", {}, b"").status == 200


def test_a_name_without_addresses_or_of_no_form(monkeypatch: pytest.MonkeyPatch) -> None:
    with _names(monkeypatch, list), pytest.raises(Unreached, match="failed: OSError"):
        Egress().post("https://partner.example/", {}, b"")
    with pytest.raises(Unreached, match=r"not found|no proper name"):
        Egress().post(f"https://{'a' * 64}.invalid/", {}, b"")
    with pytest.raises(Unreached, match="no proper name"):
        Egress().post("https://[:.:]/", {}, b"")


def test_plain_http_is_for_named_networks_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with _names(monkeypatch, lambda: ["1.1.1.1"]), pytest.raises(Unreached, match="not https"):
        Egress(HOME).post("http://partner.example/", {}, b"")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=partner.example"),
            *("-addext", "subjectAltName=DNS:partner.example", "-keyout", folder / "key", "-out", folder / "cert"),
        ],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("openssl makes no certificate here")
    return folder


@pytest.mark.parametrize("trusted", [True, False])
def test_tls_knows_the_name_though_it_connects_to_an_address(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, *, trusted: bool
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert", certificate / "key")
    guarded = Egress(HOME, Timeouts(1, 2, 3))
    if trusted:
        guarded._tls.load_verify_locations(certificate / "cert")
    with Partner(says(200, b"ok")).open(context) as partner, _names(monkeypatch, lambda: ["127.0.0.1"]):
        url = f"https://partner.example:{partner.port}/"
        if trusted:
            assert guarded.post(url, {}, b"").body == b"ok"
        else:
            with pytest.raises(Unreached, match="certificate is not good"):
                guarded.post(url, {}, b"")


def test_a_handshake_that_never_comes_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(Unreached, match="no whole answer"):
            Egress(HOME, Timeouts(1, 5, 0.3)).post(url, {}, b"")
