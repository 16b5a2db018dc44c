"""Where Caddy sends visitors when it is to no slot, and whether anything answers there; and which Caddy it is."""

import asyncio
import contextlib
import hashlib
import ipaddress
import platform
from collections.abc import Sequence
from urllib.parse import urlsplit

CONNECT_SECONDS = 1.0


async def answering(addresses: Sequence[str]) -> dict[str, bool]:
    """By address, `host:port` as Caddy dials it; what is no such address is left out."""
    known = [one for one in addresses if _split(one)]
    return dict(zip(known, await asyncio.gather(*(_connects(one) for one in known)), strict=True))


def _split(address: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    return (host, port) if host and port else None


async def _connects(address: str) -> bool:
    host, port = _split(address) or ("", 0)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def edge_id(admin: str) -> str:
    """The same for every process that asks the same Caddy: one of this machine is named with the machine."""
    host = "" if admin.startswith("unix") else urlsplit(admin).hostname or ""
    here = f"{platform.node()} " if _is_here(host) else ""
    return hashlib.blake2b(f"{here}{admin}".encode(), digest_size=4).hexdigest()


def _is_here(host: str) -> bool:
    try:
        return not host or host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
