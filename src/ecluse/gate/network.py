"""From where somebody asks, as the journal keeps it: a network, never an address.

A /24 of IPv4 or a /48 of IPv6 is a practice, a company or a street: enough to tell a practice from a stranger, too little to
follow a person. It is also what a provider gives one customer at most (RFC 6177: a site gets up to a /48).
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

PREFIX_BITS = {4: 24, 6: 48}
REMEMBERED_MAX = 65_536  # addresses of everybody who asks in a day; about 10 MB


@lru_cache(REMEMBERED_MAX)
def network_of(address: str) -> str:
    """The network of an address (`192.0.2.0/24`, `2001:db8:1::/48`); empty for what is no address."""
    try:
        read = ip_address(address.strip())
    except ValueError:
        return ""
    if isinstance(read, IPv6Address):
        read = read.ipv4_mapped or IPv6Address(int(read))  # a scope (`%eth0`) says nothing outside its machine
    return str(ip_network((read, PREFIX_BITS[read.version]), strict=False))
