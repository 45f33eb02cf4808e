"""Connections that go only where the guard said: one resolution, all its addresses checked, one of them connected to.

The check sits below HTTP, where the socket is made, so no difference between URL parsers and no second look-up
of the name (DNS rebinding) can lead past it.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import httpcore

from omkt_api.guard import Address, OutsidePolicy, check_addresses
from omkt_pipeline.domain.errors import FetchError, Stopped, Unavailable

#: Host and port to addresses, as text. Raises Unanswered when the name cannot be resolved now.
Resolver = Callable[[str, int], Sequence[str]]

_TRIED_ADDRESSES = 4
#: A silent connection looks this often whether it shall stop.
_LOOK_SECONDS = 0.5


class Unanswered(Unavailable):
    """The server did not answer, not to the end, or said that it cannot now; trying again helps."""

    code = "source_unanswered"


def resolve(host: str, port: int) -> list[str]:
    """Ask the system for the addresses of a host, in the order to try them. Raises Unanswered."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        unknown = error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
        raise Unanswered(
            f"The host {host} is not known." if unknown else f"The name of the host {host} could not be resolved now.",
            code="source_host_unknown",
        ) from error
    except (OSError, UnicodeError) as error:
        raise Unanswered(f"The name of the host {host} could not be resolved.", code="source_host_unknown") from error
    return list(dict.fromkeys(str(one[4][0]) for one in found))


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What ends an exchange from outside: its time is up, or the attempt shall stop."""

    deadline: float  #: on the monotonic clock
    stop: threading.Event | None = None

    @classmethod
    def for_seconds(cls, seconds: float, stop: threading.Event | None = None) -> "Watch":
        """A watch that begins now."""
        return cls(deadline=time.monotonic() + seconds, stop=stop)

    def remaining(self, limit: float) -> float:
        """Seconds that may be waited now, at most `limit`. Raises Stopped, or FetchError (source_too_slow)."""
        if self.stop is not None and self.stop.is_set():
            raise Stopped
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise FetchError("The server took longer than the time limit of this farm.", code="source_too_slow")
        return min(left, limit)


class CheckedBackend(httpcore.NetworkBackend):
    """Opens sockets for one exchange, to checked addresses only."""

    def __init__(self, *, policy: OutsidePolicy, resolver: Resolver, wire: httpcore.NetworkBackend, watch: Watch):
        self._policy = policy
        self._resolver = resolver
        self._wire = wire
        self._watch = watch

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to one of the addresses of `host`. Raises FetchError when any of them is not allowed."""
        addresses = check_addresses(self._resolver(host, port), self._policy)
        failure: httpcore.NetworkError | httpcore.TimeoutException | None = None
        for address in addresses[:_TRIED_ADDRESSES]:
            limit = self._watch.remaining(timeout if timeout is not None else 10.0)
            try:
                stream = self._wire.connect_tcp(str(address), port, limit, local_address, socket_options)
            except (httpcore.NetworkError, httpcore.TimeoutException) as error:
                failure = error
                continue
            return WatchedStream(_same_peer(stream, address), self._watch)
        raise failure or httpcore.ConnectError("no address answered")


class WatchedStream(httpcore.NetworkStream):
    """A connection that is cut when its watch says so, however slowly its bytes drip."""

    def __init__(self, inner: httpcore.NetworkStream, watch: Watch) -> None:
        self._inner = inner
        self._watch = watch

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Wait for bytes, in short looks, at most `timeout` seconds. Raises httpcore.ReadTimeout and what the watch raises."""
        idle_until = time.monotonic() + (timeout if timeout is not None else float("inf"))
        while True:
            try:
                look = min(_LOOK_SECONDS, max(0.001, idle_until - time.monotonic()))
                return self._inner.read(max_bytes, self._watch.remaining(look))
            except httpcore.ReadTimeout:
                if time.monotonic() >= idle_until:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send everything."""
        self._inner.write(buffer, self._watch.remaining(timeout if timeout is not None else 30.0))

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Speak TLS from here on; the certificate must be that of the name, whatever the address."""
        limit = self._watch.remaining(timeout if timeout is not None else 10.0)
        try:
            return WatchedStream(self._inner.start_tls(ssl_context, server_hostname, limit), self._watch)
        except httpcore.ConnectError as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                why = error.__cause__.verify_message
                raise FetchError(f"The server's certificate is not valid here: {why}", code="source_tls") from error
            raise

    def get_extra_info(self, info: str) -> Any:
        """What the wire knows about itself."""
        return self._inner.get_extra_info(info)


def _same_peer(stream: httpcore.NetworkStream, address: Address) -> httpcore.NetworkStream:
    """Return the stream if it leads to `address`: a proxy or a redirecting firewall is not what was checked."""
    peer = stream.get_extra_info("server_addr")
    if not peer or ip_address(str(peer[0])) != address:
        stream.close()
        raise FetchError("The connection led to another address than was checked.", code="source_address_refused")
    return stream
