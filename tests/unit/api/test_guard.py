"""The guard decides by addresses; what can be refused by looking at the URL alone is refused there."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omkt_api.guard import OutsidePolicy, check_addresses, check_url
from omkt_pipeline.domain.errors import FetchError

PUBLIC_ONLY = OutsidePolicy()
HOME = OutsidePolicy(allowed_networks=(ip_network("192.168.1.0/24"), ip_network("fd12::/16")), allowed_ports=(8096,))


@pytest.mark.parametrize(
    ("url", "normalised"),
    [
        ("https://example.com/film.mp4", "https://example.com/film.mp4"),
        ("HTTPS://EXAMPLE.com:443/film.mp4?a=1#t=5", "https://example.com/film.mp4?a=1"),
        ("http://example.com", "http://example.com/"),
        ("http://example.com./a", "http://example.com/a"),
        ("http://example.com:443/a", "http://example.com:443/a"),
        ("http://bücher.example/ü.mp4", "http://xn--bcher-kva.example/%C3%BC.mp4"),
        ("http://[2606:4700::1111]/a", "http://[2606:4700::1111]/a"),
        ("http://my_bucket.example.com/a%20b.mp4", "http://my_bucket.example.com/a%20b.mp4"),
    ],
)
def test_a_good_url_is_normalised(url: str, normalised: str) -> None:
    assert check_url(url, PUBLIC_ONLY).url == normalised


@pytest.mark.parametrize(
    "url",
    [
        "",
        "film.mp4",
        "//example.com/a",
        "file:///etc/passwd",
        "ftp://example.com/a",
        "gopher://example.com/a",
        "data:video/mp4;base64,AAAA",
        "http://",
        "http:///a",
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://127.0.0.1:80@example.com/",
        "http://example.com\\@127.0.0.1/",
        "http://example.com/a b",
        "http://example.com/a\nb",
        " http://example.com/",
        "http://exam\tple.com/",
        "http://example.com:99999/",
        "http://example.com:abc/",
        "http://a..b/",
        "http://-a.example/",
        "http://127%2e0%2e0%2e1/",
        "http://[fe80::1%25eth0]/",
        "http://[::1/",
        "http://010.0.0.1/",
        "http://1.1.1.1 &@2.2.2.2# @3.3.3.3/",
        "http://" + "a" * 64 + ".example/",
        "http://" + "a." * 130 + "example/",
        "http://example.com/" + "a" * 2048,
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(FetchError) as refused:
        check_url(url, PUBLIC_ONLY)
    assert refused.value.code in ("source_url_invalid", "source_address_refused")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://169.254.169.254/latest", "http://[::1]/", "http://10.1.2.3/"]
)
def test_a_literal_private_address_is_refused_before_anything_is_resolved(url: str) -> None:
    with pytest.raises(FetchError) as refused:
        check_url(url, PUBLIC_ONLY)
    assert refused.value.code == "source_address_refused"


def test_other_ports_are_opened_by_the_operator_alone() -> None:
    with pytest.raises(FetchError, match="Port 8096"):
        check_url("http://example.com:8096/", PUBLIC_ONLY)
    assert check_url("http://192.168.1.5:8096/", HOME).port == 8096
    with pytest.raises(FetchError, match="Port 3306"):
        check_url("http://192.168.1.5:3306/", HOME)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:8.8.8.8",
        "::ffff:127.0.0.1",
        "64:ff9b::8.8.8.8",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:808:808::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "2606:4700::1%2",
        "not an address",
        "0x7f000001",
    ],
)
def test_an_address_that_is_not_plainly_public_is_refused(address: str) -> None:
    with pytest.raises(FetchError) as refused:
        check_addresses([address], PUBLIC_ONLY)
    assert refused.value.code == "source_address_refused"
    assert address not in refused.value.message


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450::1"])
def test_public_addresses_pass(address: str) -> None:
    assert check_addresses([address], PUBLIC_ONLY) == (ip_address(address),)


def test_one_private_address_among_public_ones_refuses_all() -> None:
    with pytest.raises(FetchError):
        check_addresses(["8.8.8.8", "2606:4700::1111", "10.0.0.1"], PUBLIC_ONLY)


def test_a_host_without_addresses_is_refused() -> None:
    with pytest.raises(FetchError):
        check_addresses([], PUBLIC_ONLY)


def test_an_allowed_network_is_opened_and_its_neighbours_are_not() -> None:
    assert check_addresses(["192.168.1.5", "fd12::5", "8.8.8.8"], HOME)
    for address in ("192.168.2.5", "fd13::5", "127.0.0.1", "::ffff:192.168.1.5"):
        with pytest.raises(FetchError):
            check_addresses([address], HOME)


def test_no_allow_list_opens_the_metadata_of_a_cloud() -> None:
    everything = OutsidePolicy(allowed_networks=(ip_network("0.0.0.0/0"), ip_network("::/0")))
    for address in (
        "169.254.169.254",
        "fd00:ec2::254",
        "64:ff9b::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "168.63.129.16",
    ):
        with pytest.raises(FetchError):
            check_addresses([address], everything)


@given(st.ip_addresses())
def test_what_passes_is_global_in_the_registry(address: object) -> None:
    try:
        passed = check_addresses([str(address)], PUBLIC_ONLY)
    except FetchError:
        return
    assert all(one.is_global and not one.is_multicast for one in passed)


@given(st.text(max_size=80))
def test_any_text_is_either_a_target_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"http://{text}/x", f"http://example.com/{text}"):
        try:
            target = check_url(url, PUBLIC_ONLY)
        except FetchError:
            continue
        assert target.url.isascii()
        assert check_url(target.url, PUBLIC_ONLY) == target
