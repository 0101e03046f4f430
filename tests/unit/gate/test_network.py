"""Where somebody asks from: a network, never an address."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.gate.network import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        (" 192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", ""),
        ("unix:", ""),
        ("192.0.2.77, 10.0.0.1", ""),
    ],
)
def test_an_address_becomes_its_network(address: str, network: str) -> None:
    assert network_of(address) == network


@given(st.ip_addresses())
def test_an_address_is_in_its_network_and_the_network_is_never_the_address(address: object) -> None:
    found = ip_network(network_of(str(address)))
    mapped = getattr(ip_address(str(address)), "ipv4_mapped", None)
    assert (mapped or ip_address(str(address))) in found
    assert found.num_addresses >= 256
