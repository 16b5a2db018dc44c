"""How a message reaches a receiver: by Apprise in a process of its own, or as JSON over HTTP.

Nothing here waits longer than `SECONDS` and a little, and nothing here tells an address: what a service says of a
failure has every part of the address masked before anybody sees it.
"""

import asyncio
import hashlib
import hmac
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from chimney.core.message import Message
from chimney.core.notify import Digest
from chimney.core.redact import MASKED, safe
from chimney.table.notify.deliver import Order, Outcome
from chimney.table.notify.egress import Egress, EgressError

SECONDS = 20.0
GRACE_SECONDS = 10.0  # to load Apprise on a busy machine, and to say what became of it
AT_ONCE = 2  # processes of ~50 MB
LARGEST = 64 * 1024
LONGEST_ERROR = 300
SHORTEST_SECRET = 5
_PASSED_ON = ("PATH", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
_encode = msgspec.json.Encoder().encode
_outcome = msgspec.json.Decoder(Outcome).decode


class SendError(Exception):
    """It was not delivered; the message may be shown to anyone who signed in."""


class Sender(Protocol):
    async def send(self, message: Message, told: Digest | None, /) -> None:
        """Raises SendError. `told` is None for a test."""


def masked(text: str, url: str) -> str:
    """An error without anything of the address that may be a secret: everything behind its scheme."""
    parts = {part for part in re.split(r"[/?&=:@,+#;]+", url.partition("://")[2]) if len(part) >= SHORTEST_SECRET}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, MASKED)
    return safe(" ".join(text.split()), longest=LONGEST_ERROR)


class AppriseSender:
    """Any of Apprise's services. `slots` bounds how many processes there are at once."""

    def __init__(self, url: str, *, networks: Sequence[str], slots: asyncio.Semaphore) -> None:
        self._url = url
        self._networks = list(networks)
        self._slots = slots

    async def send(self, message: Message, _told: Digest | None, /) -> None:
        order = Order(
            url=self._url,
            title=message.title,
            body=message.body,
            kind=message.kind,
            networks=self._networks,
            seconds=SECONDS,
        )
        async with self._slots:
            outcome = await self._deliver(order)
        if outcome.error:
            raise SendError(masked(outcome.error, self._url))

    async def _deliver(self, order: Order) -> Outcome:
        """The secret goes by a pipe: what is on a command line, everybody on the machine sees."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-m", "chimney.table.notify.deliver"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        )
        try:
            async with asyncio.timeout(SECONDS + GRACE_SECONDS):
                said, _ = await process.communicate(_encode(order))
        except TimeoutError:
            raise SendError(f"it was not delivered within {SECONDS + GRACE_SECONDS:.0f} s") from None
        finally:
            await _end(process)
        try:
            return _outcome(said[:LARGEST])
        except msgspec.DecodeError:
            raise SendError(f"the sending process ended with {process.returncode}") from None


async def _end(process: asyncio.subprocess.Process) -> None:
    """Also when the table itself is ending."""
    if process.returncode is None:
        process.kill()
        await process.wait()


class HookSender:
    """`webhook+https://…`: the digest as JSON, signed like GitHub's webhooks when there is a secret."""

    def __init__(self, url: str, egress: Egress, *, secret: str | None) -> None:
        self._url = url.partition("+")[2]
        self._egress = egress
        self._secret = secret.encode() if secret else None

    async def send(self, message: Message, told: Digest | None, /) -> None:
        body = _encode(hook_of(message, told))
        headers = {"content-type": "application/json"}
        if self._secret:
            headers["x-chimney-signature-256"] = f"sha256={hmac.new(self._secret, body, hashlib.sha256).hexdigest()}"
        try:
            await self._egress.send("POST", self._url, content=body, headers=headers)
        except EgressError as error:
            raise SendError(masked(str(error), self._url)) from None


def hook_of(message: Message, told: Digest | None) -> dict[str, Any]:
    """What a webhook is sent: the message in words, and everything in it as data."""
    parts = told or Digest()
    return {
        "version": 1,
        "event": "digest" if told else "test",
        "title": message.title,
        "body": message.body,
        "kind": message.kind,
        "firing": parts.new,
        "changed": parts.changed,
        "resolved": parts.resolved,
        "missed": parts.missed,
    }
