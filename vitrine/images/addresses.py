"""Which network addresses an image may be fetched from."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from socket import SOCK_STREAM, getaddrinfo

from vitrine.errors import InvalidImage

__all__ = ["is_public", "resolve"]

_NAT64 = IPv6Network("64:ff9b::/96")
_resolvers = ThreadPoolExecutor(4, thread_name_prefix="resolve")  # getaddrinfo knows no time limit


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet.

    IPv4 addresses wrapped in IPv6 are judged by what they wrap.

    >>> [is_public(a) for a in ("8.8.8.8", "127.0.0.1", "::ffff:10.0.0.1", "169.254.169.254")]
    [True, False, False, False]
    """
    address = _unwrapped(ip_address(text.partition("%")[0]))
    if isinstance(address, IPv6Address) and address.is_site_local:  # fec0::/10 (RFC 3879)
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_loopback or address.is_link_local
    )


def resolve(host: str, port: int, *, timeout_s: float) -> list[str]:
    """The addresses of a host name, in the system's order.

    `InvalidImage` with reason `unreachable` when it has none.
    """
    try:
        entries = _resolvers.submit(getaddrinfo, host, port, type=SOCK_STREAM).result(timeout_s)
    except (OSError, UnicodeError, FutureTimeout):
        raise InvalidImage("unreachable", f"the host {host[:100]!r} is not known") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return (
        address.ipv4_mapped
        or address.sixtofour
        or (address.teredo[1] if address.teredo else address)
    )
