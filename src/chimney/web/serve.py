"""One role under Granian, in this process, on our own event loop.

`ready` is called once, with the address. SIGTERM or SIGINT drains: `readyz` turns 503, streams end with a last
`retry`, open answers get `GRACE_SECONDS`, then the process ends with 0 whatever is still open (Granian waits for a
stream for ever).
"""

import asyncio
import contextlib
import errno
import gc
import ipaddress
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn, Protocol

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.net import SocketSpec  # type: ignore[attr-defined]
from granian.server.embed import Server

from chimney.web.asgi import Receive, Scope, Send
from chimney.web.at_once import Prompt, spawner
from chimney.web.capacity import STREAMS, capacity
from chimney.web.recover import CUT_SHORT

GRACE_SECONDS = 2.5
TAKES_NOTHING_SECONDS = 60.0  # more than a stream's 28: its reader may still read what was sent before it was cut
GARBAGE = 5_000  # objects between two looks at the young; Python's 700 is for programs that make few
# Granian's own configuration would send its log to stdout; so it arrives where every other logger's does
_NO_HANDLERS: dict[str, Any] = {"incremental": True, "formatters": {}, "handlers": {}, "loggers": {}}
log = logging.getLogger(__name__)


class _Server(Server):
    """Granian, whose connections end when the other side takes nothing of what it is sent (RFC 5482).

    The kernel ends them: Granian itself waits for ever to send the rest, also of an answer that has long returned.
    """

    def _init_shared_socket(self) -> None:
        """The one socket that it listens on; what is set here, connections inherit."""
        holder = SocketSpec(self.bind_addr, self.bind_port, self.backlog).build()
        self._shd = holder  # type: ignore[assignment]
        if sys.platform == "linux":
            with socket.socket(fileno=os.dup(holder.get_fd())) as listening:
                listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(TAKES_NOTHING_SECONDS * 1000))


class Role(Protocol):
    """A role ready to be served. `start` returns when requests can be answered; `drain` ends streams; `stop` saves."""

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]: ...
    async def start(self) -> None: ...
    async def drain(self) -> None: ...
    async def stop(self) -> None: ...


class CannotListenError(Exception):
    """The address cannot be had; the message says who has it, where that can be found out."""


def split_address(listen: str) -> tuple[str, int]:
    """`127.0.0.1:8080` or `[::1]:8080`. ValueError when it is neither."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{listen!r} should be host:port, for example 127.0.0.1:8080")
    return host.strip("[]"), int(port)


def is_loopback(listen: str) -> bool:
    """Whether only this machine can reach the address. A name counts as reachable, but for `localhost`."""
    host, _ = split_address(listen)
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def claim(listen: str) -> tuple[str, int]:
    """The address to listen on, tried now: Granian binds with SO_REUSEPORT and would share a taken port silently."""
    host, port = split_address(listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            holder = _holder(port) if error.errno == errno.EADDRINUSE else ""
            reason = (error.strerror or str(error)).lower()
            raise CannotListenError(f"cannot listen on {listen}: {reason}{holder}") from None
        return host, probe.getsockname()[1]


def _holder(port: int) -> str:
    """Who listens on the port, from /proc; a hint how to look where that is not readable."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for row in Path(table).read_text().splitlines()[1:]:
                words = row.split()
                if words[3] == "0A" and int(words[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{words[9]}]")
    for fd in Path("/proc").glob("[0-9]*/fd/*") if inodes else ():
        with contextlib.suppress(OSError):
            if str(fd.readlink()) in inodes:
                command = (
                    Path(f"/proc/{fd.parts[2]}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                )
                return f" by process {fd.parts[2]} ({command.strip()[:120]})"
    return f"; look who has it with: ss -ltnp 'sport = :{port}'"


async def serve(role: Role, listen: str, *, ready: Callable[[str], None], streams: int = STREAMS) -> None:
    """Serves until SIGTERM or SIGINT, as many connections as `streams` and the rest need.

    Raises CannotListenError before anything is started.
    """
    host, port = claim(listen)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    for logger in ("_granian", "_granian.utils"):
        logging.getLogger(logger).addFilter(_is_news)
    server = _Server(
        role,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        backlog=4096,
        backpressure=capacity(streams).connections,
        log_level=LogLevels.warning,
        log_dictconfig=_NO_HANDLERS,
    )
    spawn = spawner(role.at_once) if isinstance(role, Prompt) else None
    serving = loop.create_task(server.serve(spawn))
    try:
        await _until(role.start(), serving, stopping)
        _settle()
        if not stopping.is_set():
            shown = f"[{host}]" if ":" in host else host
            ready(f"http://{shown}:{port}")
        await asyncio.wait((serving, loop.create_task(stopping.wait())), return_when=asyncio.FIRST_COMPLETED)
    finally:
        await role.drain()
        server.interrupt_signal = True
        server.main_loop_interrupt.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(serving), GRACE_SECONDS)
        await role.stop()
    if serving.done() and not stopping.is_set():
        raise RuntimeError("the server ended by itself")


def _is_news(record: logging.LogRecord) -> bool:
    """Of what Granian says: not what is so at every start, nor what Recover has told, with its stack, before it cut."""
    said = record.getMessage()
    return CUT_SHORT not in said and said != "Embedded server is experimental!"


def _settle() -> None:
    """What the start left is there to stay: the garbage collector need not look at it again (60 ms a look)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE, 20, 20)


async def _until(starting: Awaitable[None], serving: asyncio.Task[None], stopping: asyncio.Event) -> None:
    """Waits for the start, but not past a signal or the death of the server."""
    task = asyncio.ensure_future(starting)
    stop = asyncio.ensure_future(stopping.wait())
    await asyncio.wait((task, serving, stop), return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if task.done():
        task.result()
    else:
        task.cancel()


def leave(code: int) -> NoReturn:
    """Ends the process now: open connections are threads of the server that nothing else can end."""
    os._exit(code)
