"""One role in the foreground, and what is known of a role without running it."""

import gc
import logging
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from chimney.cli.say import fail, say
from chimney.config import OriginSettings, SettingsError, TableSettings, check, load
from chimney.config.settings import Settings
from chimney.instrumentation import LogPipe, install
from chimney.store.errors import StoreError
from chimney.web.asgi import Receive, Scope, Send
from chimney.web.capacity import STREAMS
from chimney.web.serve import CannotListenError, Role, leave, serve

S = TypeVar("S", bound=Settings)
log = logging.getLogger(__name__)
SWITCH_SECONDS = 0.0005  # the log thread hands the interpreter back to the event loop ten times sooner than by default


def settings_of(model: type[S], config: Path | None, **flags: object) -> S:
    """The settings, or the end of the command with every fault."""
    try:
        return load(model, file=config, environ=os.environ, flags=flags)
    except SettingsError as error:
        fail(_listed(error.faults))


def _listed(faults: list[str]) -> str:
    return "the configuration cannot be used:\n" + "\n".join(f"  {fault}" for fault in faults)


def serve_role(
    make: Callable[[LogPipe], Role],
    listen: str,
    *,
    level: str,
    quiet: bool,
    told: Callable[[Role], str | None],
    streams: int = STREAMS,
) -> NoReturn:
    """Serves until a signal, then ends the process with 0. `told` may add a line after the ready line."""
    import uvloop  # noqa: PLC0415 — nobody else needs it

    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(20_000, 20, 50)
    pipe = LogPipe(quiet=quiet)
    install(pipe, level)

    async def run() -> None:
        role = make(pipe)

        def ready(address: str) -> None:
            gc.collect()
            gc.freeze()  # what the start made lives as long as the process; collections need not look at it again
            say(f"ready {address}")
            more = told(role)
            if more:
                say(more)

        await serve(role, listen, ready=ready, streams=streams)

    try:
        uvloop.run(run())
    except (CannotListenError, StoreError) as error:
        fail(str(error))
    leave(0)


def origin(config: Path | None, *, quiet: bool, **flags: object) -> NoReturn:
    from chimney.origin.app import Origin  # noqa: PLC0415

    settings = settings_of(OriginSettings, config, **flags)
    serve_role(
        lambda pipe: Origin(settings, pipe),
        settings.listen,
        level=settings.log_level,
        quiet=quiet,
        told=lambda _role: None,
        streams=settings.max_streams,
    )


def table(config: Path | None, *, quiet: bool, **flags: object) -> NoReturn:
    from chimney.table.app import Table  # noqa: PLC0415

    settings = settings_of(TableSettings, config, **flags)

    def told(role: Role) -> str | None:
        password = role.sign_in if isinstance(role, Table) else None
        return f"sign in as operator with the password {password} (shown this once)" if password else None

    serve_role(
        lambda pipe: Table(settings, pipe=pipe), settings.listen, level=settings.log_level, quiet=quiet, told=told
    )


def standin(listen: str, *, quiet: bool, **options: Any) -> NoReturn:
    from chimney.standin.app import Standin, StandinSettings  # noqa: PLC0415

    if "/" not in options["repo"].strip("/"):
        fail(f"--repo: {options['repo']!r} should be owner/name, for example acme/rocket")
    settings = StandinSettings(**{name: value for name, value in options.items() if value is not None})
    serve_role(
        lambda pipe: _Logged(Standin(settings), pipe), listen, level="info", quiet=quiet, told=lambda _role: None
    )


class _Logged:
    """The stand-in as a Role: it keeps nothing, and its log goes to stderr only."""

    def __init__(self, inner: Any, pipe: LogPipe) -> None:
        self._inner = inner
        self._pipe = pipe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._inner.asgi(scope, receive, send)

    async def start(self) -> None:
        self._pipe.start(None)
        await self._inner.start()

    async def drain(self) -> None:
        pass

    async def stop(self) -> None:
        await self._inner.stop()
        await self._pipe.stop()


def check_config(config: Path | None) -> None:
    faults = check(file=config, environ=os.environ)
    if faults:
        fail(_listed(faults))
    say("the configuration is good")


def openapi(role: str) -> dict[str, Any]:
    if role == "table":
        from chimney.table.app import openapi as of_table  # noqa: PLC0415

        return of_table()
    from chimney.origin.app import openapi as of_origin  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        return of_origin(Path(folder))
