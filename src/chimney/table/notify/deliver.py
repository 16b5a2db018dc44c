"""One notification, sent by Apprise in a process of its own: `python -m chimney.table.notify.deliver`.

Apprise and its hundred services take 45 MB and a second to load, and none of them can be stopped half-way: here they
take nothing of the table, which ends this process when it takes too long. Every connection is checked where it is made,
so neither a redirect nor a name that resolves anew leads into a network that is not allowed.

The order comes as one JSON object on stdin, the outcome goes as one to stdout.
"""

import logging
import socket
import sys
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Any

import msgspec

from chimney.core.egress import Network, network, refusal

MOST_SAID = 3  # lines of what a service logged


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """`networks` are the private ones that may be reached."""

    url: str
    title: str
    body: str
    kind: str
    networks: list[str] = []
    seconds: float = 20.0


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`error` is None when it was delivered. It may hold parts of the address: whoever shows it masks them."""

    error: str | None = None


class RefusedError(OSError):
    """A connection to where nothing may be sent."""


class Guard:
    """Checks every connection of this process, for good. `refused` is what was not let through."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = allowed
        self.refused: list[str] = []

    def install(self) -> None:
        for name in ("connect", "connect_ex", "sendto", "sendmsg"):
            setattr(socket.socket, name, self._checked(getattr(socket.socket, name), last=name != "sendmsg"))

    def _checked(self, original: Callable[..., Any], *, last: bool) -> Callable[..., Any]:
        def checked(sock: socket.socket, *args: Any) -> Any:
            address = args[-1] if last else (args[3] if len(args) > 3 else None)
            if address is not None:
                self._check(sock, address)
            return original(sock, *args)

        return checked

    def _check(self, sock: socket.socket, address: Any) -> None:
        """Raises RefusedError."""
        if sock.family not in (socket.AF_INET, socket.AF_INET6):
            raise self._refuse("nothing is sent to sockets of this machine")
        host = str(address[0])
        why = refusal(host, _numeric(host, sock.family), self._allowed)
        if why:
            raise self._refuse(why)

    def _refuse(self, why: str) -> RefusedError:
        self.refused.append(why)
        return RefusedError(why)


def _numeric(host: str, family: int) -> list[str]:
    """What a host is at once connected to by; names are resolved before, but by those who leave it to the system."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, None, family)]
    return [host]


def send(order: Order, guard: Guard) -> Outcome:
    import apprise  # noqa: PLC0415

    logging.disable(logging.CRITICAL)  # what went wrong is in the result
    asset = apprise.AppriseAsset(
        app_id="chimney",
        app_desc="chimney",
        app_url="",
        async_mode=False,
        secure_logging=True,
        allow_templates=False,
        service_timeout=order.seconds,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
    )
    sender = apprise.Apprise(asset=asset)
    if not sender.add(order.url):
        return Outcome(error="the address is not one that Apprise understands; see the documentation of its service")
    logging.disable(logging.NOTSET)
    logging.getLogger("apprise").propagate = False
    kind = apprise.NotifyType(order.kind)
    result = sender.notify(order.body, title=order.title, notify_type=kind, body_format=apprise.NotifyFormat.TEXT)
    if result:
        return Outcome()
    said = [entry.message for entry in result.logs()][-MOST_SAID:]
    return Outcome(error="; ".join(guard.refused[:1] or said) or "it could not be delivered, and nobody said why")


def main() -> None:
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    guard = Guard([network(one) for one in order.networks])
    guard.install()
    try:
        outcome = send(order, guard)
    except Exception as error:  # whatever a service does, the table is told
        outcome = Outcome(error=f"{type(error).__name__}: {error}")
    sys.stdout.buffer.write(msgspec.json.encode(outcome))


if __name__ == "__main__":
    main()
