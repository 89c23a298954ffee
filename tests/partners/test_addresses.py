"""Which addresses a message may go to."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.partners.addresses import in_networks, is_public, parse_networks

CLOSED = """
127.0.0.1 127.9.9.9 0.0.0.0 0.1.2.3 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.100.100.200
169.254.169.254 169.254.170.2 168.63.129.16 192.0.0.192 192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.1 203.0.113.1
224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 fe80::1 fe80::1%eth0 fec0::1 fc00::1 fd00:ec2::254 ff02::1 100::1 2001:db8::1 2001::1 2002:7f00:1:: 4000::1
::ffff:127.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1
"""
OPEN = "1.1.1.1 8.8.8.8 172.32.0.1 100.128.0.1 2606:4700::1111 2a00:1450:4001::8a ::ffff:8.8.8.8 64:ff9b::808:808"


@pytest.mark.parametrize("text", CLOSED.split())
def test_what_is_not_public_is_not_reached(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", OPEN.split())
def test_the_public_internet_is(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@given(st.ip_addresses(v=4))
def test_an_address_that_is_wrapped_is_judged_as_what_it_is(address: ipaddress.IPv4Address) -> None:
    wrapped = [ipaddress.IPv6Address(f"{prefix}{address}") for prefix in ("::ffff:", "64:ff9b::")]
    assert {is_public(one) for one in wrapped} == {is_public(address)}


@given(st.ip_addresses())
def test_nothing_is_public_that_the_library_calls_private(address: ipaddress.IPv4Address) -> None:
    if address.is_private or address.is_multicast or address.is_link_local or address.is_loopback:
        wrapped = getattr(address, "ipv4_mapped", None)
        assert not is_public(address) or wrapped is not None


def test_an_operator_names_networks() -> None:
    networks = parse_networks(" 10.1.0.0/16,, ::1 ")
    assert in_networks(ipaddress.ip_address("10.1.2.3"), networks)
    assert in_networks(ipaddress.ip_address("::1"), networks)
    assert not in_networks(ipaddress.ip_address("10.2.0.1"), networks)
    assert parse_networks("") == ()
    with pytest.raises(ValueError, match="ten"):
        parse_networks("ten")
