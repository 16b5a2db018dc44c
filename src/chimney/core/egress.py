"""Where the table may send to: the public Internet, and the private networks that somebody allowed.

An address that stands for another one (IPv4 in IPv6, 6to4, Teredo, NAT64) is judged by the one it stands for as well:
guards that looked at the outer one were walked around (Dozzle's CVE-2026-45298 and CVE-2026-73087).
"""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = IPv6Network("::/96")
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")  # RFC 2765, stateless translation


def network(text: str) -> Network:
    """`10.0.0.0/8`, or one address. Raises ValueError."""
    return ip_network(text.strip(), strict=False)


def addresses_in(address: Address) -> Iterator[Address]:
    """The address, and every one that it stands for."""
    yield address
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if any(address in one for one in (*_NAT64, _COMPATIBLE, _TRANSLATED)):
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def is_public(address: Address) -> bool:
    """Reachable for everybody, so there is nothing behind a firewall that one gets at through the table."""
    return all(one.is_global and not one.is_multicast and not one.is_reserved for one in _judged(address))


def _judged(address: Address) -> Iterator[Address]:
    """An IPv4 address within an IPv6 one is judged by itself: that the wrapping is no global unicast is no fault."""
    inner = list(addresses_in(address))
    wrapped = isinstance(address, IPv6Address) and address.ipv4_mapped is not None
    yield from inner[1:] if wrapped else inner


def refusal(host: str, found: Sequence[str], allowed: Sequence[Network]) -> str | None:
    """Why nothing is sent to `host`, which has these addresses; None when all of them may be reached."""
    for text in found:
        address = ip_address(text.partition("%")[0])
        if is_public(address) or any(_within(one, allowed) for one in _judged(address)):
            continue
        shown = text if text == host else f"{host} ({text})"
        return (
            f"{shown} is in a private network, and nothing is sent there. If it should be, name the network in "
            "CHIMNEY_TABLE_NOTIFY_NETWORKS."
        )
    return None if found else f"{host} has no address"


def _within(address: Address, allowed: Sequence[Network]) -> bool:
    return any(address.version == one.version and address in one for one in allowed)
