"""The client on real sockets: redirects into the house, certificates, dead ports."""

import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from omkt_api.connecting import Unanswered, Watch, resolve
from omkt_api.guard import OutsidePolicy
from omkt_api.outside import Outside
from omkt_pipeline.domain.errors import FetchError

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
PORTS = tuple(range(1024, 65536))
LOOPBACK = OutsidePolicy(allowed_networks=(ip_network("127.0.0.0/8"),), allowed_ports=PORTS)
Serve = Callable[..., Any]


def body_of(outside: Outside, url: str) -> bytes:
    with outside.get(url, watch=Watch.for_seconds(30)) as answer:
        return b"".join(answer.blocks)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for media.example that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "media.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("media.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "media.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture
def tls_server(serve: Serve, authority: Path) -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    return serve(lambda _: [HELLO], tls=context)


@pytest.mark.parametrize("target", ["http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://169.254.169.254/"])
def test_a_redirect_into_the_house_reaches_nobody(serve: Serve, target: str) -> None:
    secret = serve(lambda _: [HELLO])
    location = target.format(port=secret.port)
    redirecting = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
    server = serve(lambda _: [redirecting], address="127.0.0.2")
    outside = Outside(OutsidePolicy(allowed_networks=(ip_network("127.0.0.2/32"),), allowed_ports=PORTS))
    with pytest.raises(FetchError) as refused:
        body_of(outside, server.url)
    assert refused.value.code == "source_address_refused"
    assert len(server.requests) == 1
    assert secret.requests == []


def test_a_name_that_is_rebound_after_it_was_checked_leads_nowhere_else(serve: Serve) -> None:
    """The address that was checked is dialled: the name is asked for once in each connection, so it cannot change between."""
    server = serve(lambda _: [HELLO], address="127.0.0.2")
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.2"] if len(asked) == 1 else ["127.0.0.1"]

    policy = OutsidePolicy(allowed_networks=(ip_network("127.0.0.2/32"),), allowed_ports=PORTS)
    outside = Outside(policy, resolver=rebinding)
    url = f"http://rebound.example:{server.port}/"

    assert body_of(outside, url) == b"hello"
    with pytest.raises(FetchError) as refused:
        body_of(outside, url)

    assert refused.value.code == "source_address_refused"
    assert asked == ["rebound.example"] * 2
    assert len(server.requests) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "localhost", "017700000001", "0"])
def test_without_an_allow_list_no_spelling_of_the_loopback_is_reached(serve: Serve, host: str) -> None:
    server = serve(lambda _: [HELLO])
    with pytest.raises(FetchError) as refused:
        body_of(Outside(OutsidePolicy(allowed_ports=PORTS)), f"http://{host}:{server.port}/")
    assert refused.value.code == "source_address_refused"
    assert server.requests == []


def test_the_certificate_must_be_that_of_the_name_though_the_address_was_dialled(
    tls_server: Any, authority: Path
) -> None:
    trusting = ssl.create_default_context(cafile=str(authority))
    outside = Outside(LOOPBACK, resolver=lambda *_: ["127.0.0.1"], tls=trusting)
    assert body_of(outside, f"https://media.example:{tls_server.port}/") == b"hello"
    assert tls_server.requests[0]["host"] == f"media.example:{tls_server.port}"
    with pytest.raises(FetchError) as refused:
        body_of(outside, f"https://other.example:{tls_server.port}/")
    assert refused.value.code == "source_tls"


def test_a_certificate_that_nobody_vouches_for_is_final(tls_server: Any) -> None:
    outside = Outside(LOOPBACK, resolver=lambda *_: ["127.0.0.1"])
    with pytest.raises(FetchError) as refused:
        body_of(outside, f"https://media.example:{tls_server.port}/")
    assert (refused.value.code, refused.value.retryable) == ("source_tls", False)
    assert tls_server.requests == []


def test_a_port_where_nobody_listens_may_be_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unanswered) as failed:
        body_of(Outside(LOOPBACK), f"http://127.0.0.1:{port}/")
    assert failed.value.code == "source_unreachable"


def test_names_are_resolved_by_the_system_and_nonsense_is_unknown() -> None:
    assert "127.0.0.1" in resolve("localhost", 80)
    with pytest.raises(Unanswered) as failed:
        resolve("a" * 70, 80)
    assert failed.value.code == "source_host_unknown"
