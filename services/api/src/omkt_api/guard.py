"""Which addresses the farm talks to, on behalf of clients who may not wish it well. Pure: nothing is resolved here.

A client's URL must not reach what only this machine can reach: its own services, its private network, the cloud's
metadata. Names prove nothing, so the decision is made on the addresses that a name was resolved to (`check_addresses`),
and the connection goes to one of exactly those (`connecting`). `check_url` refuses early what can be seen early.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpx

from omkt_pipeline.domain.errors import FetchError

MAX_URL_LENGTH = 2048
DEFAULT_PORTS = {"http": 80, "https": 443}

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: What `is_global` of some Python versions lets pass, and what is public by number but not by use.
_NOT_PUBLIC: tuple[Network, ...] = tuple(
    ip_network(one)
    for one in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "192.0.0.0/24",  # protocol assignments, among them a cloud's metadata
        "192.88.99.0/24",  # relays of 6to4
        "198.18.0.0/15",
        "2001::/23",  # protocol assignments, Teredo and ORCHID among them
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
    )
)
#: All of the public IPv6 Internet lies here; NAT64, mapped, local and multicast addresses do not.
_PUBLIC_IPV6 = ip_network("2000::/3")
#: They hand out credentials to whoever asks. No allow-list opens them.
_METADATA: frozenset[Address] = frozenset(
    ip_address(one)
    for one in (
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029]")


@dataclass(frozen=True, kw_only=True)
class OutsidePolicy:
    """What the operator allows beyond the public Internet's web ports."""

    allowed_networks: tuple[Network, ...] = ()  #: private networks that may be reached nevertheless
    #: Ports beside 80 and 443, for public and allowed networks alike. An allowed network does not open all its
    #: ports: a media server's 8096 is wanted, the database next to it is not.
    allowed_ports: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Target:
    """A URL that may be tried: its parts as they go over the wire."""

    scheme: str
    host: str  #: ASCII, lower case, no trailing dot; IPv6 without brackets
    port: int
    path: str  #: path and query, percent-encoded

    @property
    def url(self) -> str:
        """The whole of it, normalised, without fragment."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """Whom we talk to: what credentials belong to."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def check_url(url: str, policy: OutsidePolicy) -> Target:
    """Return the parts of a URL that may be tried. Raises FetchError (source_url_invalid, source_address_refused)."""
    if len(url) > MAX_URL_LENGTH:
        raise _invalid(f"is longer than {MAX_URL_LENGTH} characters")
    if _UNSAFE.search(url):
        raise _invalid("contains spaces, backslashes or control characters; they must be percent-encoded")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise _invalid("cannot be understood") from None
    if parsed.scheme not in DEFAULT_PORTS:
        raise _invalid("must begin with http:// or https://")
    if parsed.userinfo:
        raise _invalid("must not contain a user name or password")
    port = DEFAULT_PORTS[parsed.scheme] if parsed.port is None else parsed.port
    if port not in DEFAULT_PORTS.values() and port not in policy.allowed_ports:
        raise FetchError(
            f"Port {port} is not open to URLs of clients. The operator can allow it (OMKT_ALLOWED_PORTS).",
            code="source_address_refused",
        )
    host = _host(parsed, policy)
    return Target(scheme=parsed.scheme, host=host, port=port, path=parsed.raw_path.decode("ascii") or "/")


def check_addresses(addresses: Sequence[str], policy: OutsidePolicy) -> tuple[Address, ...]:
    """Return the addresses that a name was resolved to, if every one of them may be connected to.

    One bad address refuses all: a name that is public and private at once is a trick or a mistake.
    Raises FetchError (source_address_refused), which tells clients nothing about what was resolved.
    """
    refused = [one for one in addresses if not _may_connect(one, policy)]
    if refused or not addresses:
        raise FetchError(
            "The host of the URL does not lie in the public Internet, and its network is not among those that the "
            "operator allows (OMKT_ALLOWED_NETWORKS).",
            code="source_address_refused",
            log_tail=f"refused: {', '.join(refused) or 'no address'}",
        )
    return tuple(ip_address(one) for one in addresses)


def _may_connect(text: str, policy: OutsidePolicy) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    inner = _embedded(address)
    if address in _METADATA or inner in _METADATA:
        return False
    if isinstance(address, IPv6Address) and (address.scope_id is not None or address.ipv4_mapped is not None):
        return False
    if any(address in network for network in policy.allowed_networks):
        return True
    return inner is None and _is_public(address)


def _is_public(address: Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and (address.version == 4 or address in _PUBLIC_IPV6)
        and not any(address in network for network in _NOT_PUBLIC)
    )


def _embedded(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address is a disguise of."""
    if isinstance(address, IPv4Address):
        return None
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _host(parsed: httpx.URL, policy: OutsidePolicy) -> str:
    host = parsed.raw_host.decode("ascii", "replace").lower()
    if ":" in host:
        check_addresses([host], policy)
        return host
    host = host.removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _invalid("has no valid host name")
    try:
        ip_address(host)
    except ValueError:
        return host
    check_addresses([host], policy)
    return host


def _invalid(why: str) -> FetchError:
    return FetchError(f"The URL {why}.", code="source_url_invalid")
