"""One POST to an address that somebody else has chosen: guarded, bounded in time and size, and without detours.

By Python's own `http.client`: it follows no redirect, keeps no connection, reads no proxy from the environment, and its
`connect` is a place where the address that was judged is the one that is connected to. Between a check of a name and a
library's own look-up of it the name could be changed (DNS rebinding).
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from setia.partners.addresses import Address, Network, in_networks, is_public

LONGEST_ANSWER = 64 * 1024
_PORTS = {"https": 443, "http": 80}


class Unreached(Exception):  # noqa: N818 - says what happened
    """There is no answer; the text says why, for operators."""


class Timeouts(NamedTuple):
    """Seconds: to connect to one address, between two pieces of the answer, and for everything together."""

    connect: float = 5.0
    read: float = 10.0
    total: float = 15.0


class Received(NamedTuple):
    """An answer: its status, its whole body, and its header `Retry-After`, as it was written."""

    status: int
    body: bytes
    retry_after: str | None = None


class Egress:
    """The way out, with the networks beside the public internet that an operator allows."""

    def __init__(self, networks: Sequence[Network] = (), timeouts: Timeouts = Timeouts()) -> None:  # noqa: B008 - nobody can change it
        self._networks, self._timeouts = tuple(networks), timeouts
        self._tls = ssl.create_default_context()

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Received:
        """Send a body; raises `Unreached` where no whole answer comes, or the address is none that may be reached."""
        try:
            return self._post(url, headers, body)
        except ValueError as error:
            # A name that cannot be one in the internet's letters, or a number that looks like an address and is none.
            raise Unreached("the host has no proper name") from error

    def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Received:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        began = time.monotonic()
        found = self._permitted(host, port, parts.scheme)
        call = _Call(host, port, found, self._tls if parts.scheme == "https" else None, self._timeouts)
        # The times of single reads do not add up to an end: who sends a byte a second would be waited for for ever.
        alarm = threading.Timer(self._timeouts.total, call.abort)
        alarm.daemon = True
        alarm.start()
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            call.request("POST", path, body, {**headers, "Host": parts.netloc, "Connection": "close"})
            received = _read(call.getresponse())
        except TimeoutError as error:
            raise Unreached(_late(began)) from error
        except ssl.SSLCertVerificationError as error:
            raise Unreached(f"its certificate is not good: {error.verify_message}") from error
        except (Unreached, OSError, http.client.HTTPException, ValueError) as error:
            # What the alarm has cut off looks like an answer that ended too soon.
            if not call.aborted and isinstance(error, Unreached):
                raise
            raise Unreached(_late(began) if call.aborted else f"the connection failed: {_named(error)}") from error
        finally:
            alarm.cancel()
            call.close()
        if call.aborted:
            raise Unreached(_late(began))
        return received

    def _permitted(self, host: str, port: int, scheme: str) -> list[str]:
        """The addresses of a host, if all of them may be reached: one that may not is no slip."""
        texts = self._look_up(host, port)
        for text in texts:
            address: Address = ipaddress.ip_address(text)
            if in_networks(address, self._networks):
                continue
            if not is_public(address):
                raise Unreached("its address is not public. SETIA_PARTNER_NETWORKS names networks that may be reached")
            if scheme != "https":
                raise Unreached("it is not https, which is needed outside SETIA_PARTNER_NETWORKS")
        return texts

    def _look_up(self, host: str, port: int) -> list[str]:
        """The addresses of a name, in bounded time.

        The resolver's own limits add up to half a minute, and no alarm ends it. So it is left to itself when it takes
        too long, in a thread that ends with it.
        """
        found: list[str] = []
        faults: list[Exception] = []

        def look_up() -> None:
            try:
                entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                found.extend(dict.fromkeys(str(entry[4][0]) for entry in entries))
            except (OSError, ValueError) as error:
                faults.append(error)

        thread = threading.Thread(target=look_up, name="partner-name", daemon=True)
        thread.start()
        thread.join(self._timeouts.connect)
        if thread.is_alive():
            raise Unreached(f"its name was not found within {self._timeouts.connect:g} seconds")
        for fault in faults:
            if isinstance(fault, OSError):
                raise Unreached(f"the host is not found: {_named(fault)}") from fault
            raise fault
        return found


class _Call(http.client.HTTPConnection):
    """A connection to addresses that have been judged; the name is for the certificate only."""

    def __init__(
        self, host: str, port: int, addresses: Sequence[str], tls: ssl.SSLContext | None, timeouts: Timeouts
    ) -> None:
        super().__init__(host, port)
        self._addresses, self._tls, self._timeouts = addresses, tls, timeouts
        self.aborted = False
        self._open: socket.socket | None = None  # http.client forgets `sock` when it begins to read the answer

    def connect(self) -> None:
        """Connect to the first address that answers."""
        found = None
        for number, address in enumerate(self._addresses, start=1):
            try:
                found = socket.create_connection((address, self.port), self._timeouts.connect)
            except OSError:
                if self.aborted or number == len(self._addresses):
                    raise
            else:
                break
        if found is None:
            raise OSError("no address")
        found.settimeout(self._timeouts.read)
        self.sock = self._open = found
        if self._tls is not None:
            # The handshake after it is known here, so that the alarm ends it too.
            wrapped = self._tls.wrap_socket(found, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock = self._open = wrapped
            wrapped.do_handshake()
        if self.aborted:
            raise TimeoutError

    def abort(self) -> None:
        """End it from another thread: who reads finds the end of the stream."""
        self.aborted = True
        if self._open is not None:
            with suppress(OSError):
                # Not by the method of a TLS socket, which first forgets its TLS.
                socket.socket.shutdown(self._open, socket.SHUT_RDWR)


def _read(response: http.client.HTTPResponse) -> Received:
    body = response.read(LONGEST_ANSWER + 1)
    if len(body) > LONGEST_ANSWER:
        raise Unreached(f"its answer is longer than {LONGEST_ANSWER} bytes")
    if response.length:
        raise Unreached("its answer ended too soon")
    return Received(response.status, body, response.getheader("Retry-After"))


def _late(began: float) -> str:
    return f"no whole answer came within {time.monotonic() - began:.1f} seconds"


def _named(error: BaseException) -> str:
    # Its text may hold addresses of our own network, and what is kept is shown to those who may read redemptions.
    return type(error).__name__
