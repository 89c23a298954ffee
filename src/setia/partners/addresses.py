"""Which addresses a message may go to: those of the public internet, and networks that the operator names."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

# The part of IPv6 that is given out at all. What lies outside is local, multicast, or nobody's.
_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LOW_32 = 0xFFFFFFFF
# Public by their numbers, and a cloud's own inside it: Azure's host, relays of 6to4 and 6to4 itself, Teredo.
_CLOSED: tuple[Network, ...] = (
    ipaddress.IPv4Network("168.63.129.16/32"),
    ipaddress.IPv4Network("192.88.99.0/24"),
    ipaddress.IPv4Network("192.0.0.0/24"),
    ipaddress.IPv6Network("2001::/32"),
    ipaddress.IPv6Network("2002::/16"),
)


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read `10.1.0.0/16, ::1/128`; raises `ValueError` with the part that is none."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def in_networks(address: Address, networks: Sequence[Network]) -> bool:
    """Whether the operator has named a network of it."""
    return any(address in network for network in networks)


def is_public(address: Address) -> bool:
    """Whether it is an address of the public internet: not private, loopback, link-local, multicast or anyhow special.

    An IPv4 address that is wrapped into IPv6 is judged as what it is.
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & _LOW_32))
        if address not in _UNICAST:
            return False
    return address.is_global and not address.is_multicast and not in_networks(address, _CLOSED)
