"""The fence against other sites, for browsers that say `Origin` only."""

import pytest

from chimney.web.record import begin
from chimney.web.same_origin import foreign


@pytest.mark.parametrize(
    ("origin", "proto", "ours"),
    [
        ("https://table.example.org", "https", True),
        ("http://table.example.org", "https", False),
        ("https://table.example.org:8443", "https", False),
        ("https://blue.table.example.org", "https", False),
        ("https://example.org", "https", False),
        ("http://table.example.org", "http", True),
        ("null", "https", False),
        ("https://[", "https", False),
    ],
)
def test_a_sibling_another_port_and_the_same_name_without_tls_are_other_sites(
    origin: str, proto: str, ours: bool
) -> None:
    """faults.md H: CSRF and siblings."""
    headers = [(b"host", b"table.example.org"), (b"origin", origin.encode()), (b"x-forwarded-proto", proto.encode())]
    record = begin({"type": "http", "method": "POST", "path": "/", "headers": headers, "client": ("127.0.0.1", 1)})
    assert (foreign(record) is None) is ours
