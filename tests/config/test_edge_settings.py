"""What may be said of Caddy and of the slots."""

from typing import Any

import pytest
from pydantic import ValidationError

from chimney.config import OriginSettings


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("http://127.0.0.1:2019", "http://127.0.0.1:2019"),
        ("127.0.0.1:2019", "http://127.0.0.1:2019"),
        ("localhost:2019/", "http://localhost:2019"),
        ("unix//run/caddy/admin.sock", "unix//run/caddy/admin.sock"),
    ],
)
def test_caddys_admin_api_is_an_address_or_a_socket(said: str, kept: str) -> None:
    assert OriginSettings(caddy_admin=said).caddy_admin == kept


@pytest.mark.parametrize("said", ["", "unix/", "unix/run/x", "unix//a b", "http://user:pw@x", "http://x/?q", "a b"])
def test_what_is_neither_is_refused(said: str) -> None:
    with pytest.raises(ValidationError):
        OriginSettings(caddy_admin=said)


@pytest.mark.parametrize(
    "said",
    ["blue", "blue=", "red=127.0.0.1:1", "blue=127.0.0.1:0", "blue=127.0.0.1", "blue=a:1,green=a:1", "blue=http://a:1"],
)
def test_slots_are_told_apart_by_host_and_port(said: Any) -> None:
    with pytest.raises(ValidationError):
        OriginSettings(slots=said)
