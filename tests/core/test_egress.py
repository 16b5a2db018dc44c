"""Where the table may send to (faults C, "SSRF by redirect and DNS")."""

import pytest

from chimney.core.egress import network, refusal


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # metadata of clouds
        "100.64.0.1",  # carrier-grade NAT
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "2002:7f00:1::",  # 6to4 of 127.0.0.1
        "2002:a9fe:a9fe::",
        "2001:0:7f00:1::1",  # Teredo
        "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::7f00:1",
        "2001:db8::1",
    ],
)
def test_what_is_not_public_is_refused(address: str) -> None:
    said = refusal("hooks.example.org", [address], [])
    assert said is not None
    assert address in said
    assert "CHIMNEY_TABLE_NOTIFY_NETWORKS" in said


@pytest.mark.parametrize("address", ["1.1.1.1", "140.82.112.3", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_what_is_public_is_reached(address: str) -> None:
    assert refusal("hooks.example.org", [address], []) is None


def test_one_private_address_among_several_is_enough_to_refuse() -> None:
    assert refusal("hooks.example.org", ["1.1.1.1", "10.0.0.1"], []) is not None


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("10.1.2.3", "10.0.0.0/8"),
        ("::ffff:10.1.2.3", "10.0.0.0/8"),
        ("127.0.0.1", "127.0.0.1"),
        ("fd00::5", "fd00::/8"),
    ],
)
def test_a_network_that_was_named_may_be_reached(address: str, allowed: str) -> None:
    assert refusal("hooks.example.org", [address], [network(allowed)]) is None
    assert refusal("hooks.example.org", ["192.168.0.1"], [network(allowed)]) is not None


def test_a_private_address_within_a_6to4_one_is_not_allowed_by_the_outer_one() -> None:
    assert refusal("hooks.example.org", ["2002:7f00:1::"], [network("fd00::/8")]) is not None


def test_a_name_without_an_address_is_refused() -> None:
    assert refusal("hooks.example.org", [], []) == "hooks.example.org has no address"
