"""Which web addresses are fetched, and which network addresses are connected to.

Whoever owns a name decides what it resolves to, and may lead into the network that Footnote runs in: so each
network address is judged when a socket is made for it, however it was spelled or resolved before.
"""

from __future__ import annotations

import re
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from yarl import URL

from index.terminal import one_line

__all__ = ["FetchError", "RefusedAddressError", "is_public", "parse_address", "public_socket"]

_HOST = re.compile(r"[a-z0-9._-]{1,253}|[0-9a-f:.]{2,45}")  # an ASCII name, or an address without a zone
_LONGEST = 2_000  # characters of a web address; the shortest limit among browsers and servers in use

# https://www.iana.org/assignments/iana-ipv4-special-registry: what is not globally reachable, and multicast.
# 168.63.129.16 is Azure's platform service, which only its own machines reach.
_IPV4_NOT_PUBLIC = [IPv4Network(network) for network in """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
    192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3
    """.split()]  # fmt: skip
# All that is routed globally lies in 2000::/3. 2001::/23 holds Teredo, ORCHID and benchmarks; the others are
# for documentation. https://www.iana.org/assignments/iana-ipv6-special-registry
_IPV6_PUBLIC = IPv6Network("2000::/3")
_IPV6_NOT_PUBLIC = [IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "3fff::/20")]
# Mapped, NAT64, 6to4: the connection ends at an IPv4 address, which stands this many bits from the right.
_IPV4_INSIDE = {IPv6Network("::ffff:0:0/96"): 0, IPv6Network("64:ff9b::/96"): 0, IPv6Network("2002::/16"): 80}


class FetchError(Exception):
    """Why something was not fetched: `reason` names the address, and is one sentence for people.

    `status` is the HTTP status, None without an answer. `temporary` says that a later try may succeed.
    """

    def __init__(self, reason: str, *, status: int | None = None, temporary: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.temporary = temporary

    @property
    def gone(self) -> bool:
        """Whether the server says that there is no such page (404), or no longer (410)."""
        return self.status in {404, 410}


class RefusedAddressError(OSError):
    """A connection to an address that is not public."""


def parse_address(text: str, base: URL | None = None) -> URL:
    """Return the web address that is written, completed by `base`, without its fragment.

    Raises:
        FetchError: it cannot be read, is not http or https, is too long, or holds a user name or password.
    """
    try:
        url = URL(text) if base is None else base.join(URL(text))
        is_web = url.scheme in {"http", "https"} and _HOST.fullmatch(url.raw_host or "")
    except ValueError:
        is_web = None
    if not is_web or len(str(url)) > _LONGEST:
        raise FetchError(f"{one_line(text)}: no http(s) address of up to {_LONGEST:,} characters; correct it")
    if url.raw_user or url.raw_password:
        raise FetchError(f"{one_line(url.with_user(None))}: has a user name or password; remove it")
    return url.with_fragment(None)


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public internet, for a connection to end at."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        if ip.scope_id is not None:  # a zone: an address of one link only
            return False
        for network, shift in _IPV4_INSIDE.items():
            if ip in network:
                return is_public(str(IPv4Address(int(ip) >> shift & 0xFFFF_FFFF)))
        return ip in _IPV6_PUBLIC and not any(ip in network for network in _IPV6_NOT_PUBLIC)
    return not any(ip in network for network in _IPV4_NOT_PUBLIC)


def public_socket(info: tuple[Any, ...]) -> socket.socket:
    """Make the socket for an address, as `getaddrinfo` describes it: aiohttp's `socket_factory`.

    Raises:
        RefusedAddressError: the address is not public.
    """
    family, kind, protocol, _, address = info
    if not is_public(address[0]):
        raise RefusedAddressError("not a public address")  # aiohttp joins errors of another text
    return socket.socket(family, kind, protocol)
