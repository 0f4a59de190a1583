"""Which addresses are fetched: however an address is written, it does not lead into a private network."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from index.sources.addresses import FetchError, is_public, parse_address
from tests.strategies import hostile_text

PRIVATE_IPV4 = """
    0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 168.63.129.16
    169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1
    198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    """.split()
PRIVATE_IPV6 = """
    :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe
    64:ff9b:1::808:808 100::1 2001::1 2001:0:808:808::1 2001:2::1 2001:10::1 2001:db8::1 2002:7f00:1::
    2002:c0a8:101::1 3fff::1 4000::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 febf::1 fec0::1
    ff02::1 ff0e::1 2606:4700::1111%eth0 ::1%lo
    """.split()
NO_ADDRESS = (
    "localhost 127.1 2130706433 0x7f000001 0177.0.0.1 1.2.3 256.1.1.1 1.2.3.4/32 [::1] 8.8.8.8\x00".split()
)
NO_WEB_ADDRESS = [
    *"ftp://example.org/x file:///etc/passwd gopher://127.0.0.1:70/1 //example.org/x http:///x http://a\x00b/".split(),
    *"http://%31%32%37.0.0.1/ http://[fe80::1%25lo]/ http://[::1/ http://example.org:99999/".split(),
    *"https://me:secret@example.org/ https://me@example.org/ https://:secret@example.org/".split(),
    *["", "http://example.org\\@127.0.0.1/", f"http://{'a' * 254}/", "http://example.org/" + "x" * 2_000],
]
PUBLIC = """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0 192.0.1.1
    192.167.255.255 198.17.255.255 223.255.255.255 2001:4860:4860::8888 2606:4700::1111 2a00:1450::1
    ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::1 2001:200::1
    """.split()


@pytest.mark.parametrize(
    ("addresses", "expected"), [(PRIVATE_IPV4 + PRIVATE_IPV6 + NO_ADDRESS, False), (PUBLIC, True)]
)
def test_addresses_that_are_known(addresses: list[str], expected: bool) -> None:
    assert [address for address in addresses if is_public(address) is not expected] == []


@given(st.ip_addresses().map(str))
def test_never_public_where_python_knows_better(address: str) -> None:
    ip = ip_address(address)
    if is_public(address) and not (isinstance(ip, IPv6Address) and (ip.ipv4_mapped or ip.sixtofour)):
        assert ip.is_global
        assert not ip.is_multicast


@given(st.ip_addresses(v=4) | st.sampled_from(PRIVATE_IPV4).map(IPv4Address))
def test_address_inside_an_address_is_judged(ip: IPv4Address) -> None:
    outer = [f"::ffff:{ip}", f"64:ff9b::{ip}", str(IPv6Address((0x2002 << 112) | (int(ip) << 80) | 1))]
    assert {is_public(each) for each in outer} == {is_public(str(ip))}
    assert not is_public(f"::{ip}")
    assert not is_public(str(IPv6Address((0x20010000 << 96) | (int(ip) << 64) | (int(ip) ^ 0xFFFFFFFF))))


@pytest.mark.parametrize("text", NO_WEB_ADDRESS)
def test_addresses_that_are_not_accepted(text: str) -> None:
    with pytest.raises(FetchError, match=r"; (correct|remove) it") as caught:
        parse_address(text)
    assert "secret" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_fragment_is_dropped_and_a_base_completes() -> None:
    assert str(parse_address("HTTPS://Example.org/a#top")) == "https://example.org/a"
    assert str(parse_address("../b?q=1#x", URL("https://example.org/c/d"))) == "https://example.org/b?q=1"


@given(
    hostile_text("http://", "https://", "127.0.0.1", "[::1]", "%2e", ":80", "xn--", "①", surrogates=True)
    | hostile_text("@", "//", "\\", surrogates=True).map("http://".__add__)
)
@example("http://xn--zz/")
def test_any_text_is_an_address_or_refused_in_one_line(text: str) -> None:
    try:
        url = parse_address(text)
    except FetchError as error:
        reason = error.reason
    else:
        reason = ""
        assert url.scheme in {"http", "https"}
        assert url.raw_host
        assert not url.raw_user
    assert "\n" not in reason
