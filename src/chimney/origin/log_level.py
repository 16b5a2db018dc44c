"""The log level at run time: of everything or of one logger, for a while or until the process ends.

Nothing of it is kept: a new process begins with CHIMNEY_LOG_LEVEL. Every change, also the one by itself, is an event.
"""

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.params import Body

from chimney.instrumentation import LogPipe
from chimney.origin.events import Says
from chimney.web.problem import ProblemError
from chimney.web.record import RequestRecord, current
from chimney.wire.base import stamp
from chimney.wire.log_level import LoggerLevel, LogLevelChange, LogLevels
from chimney.wire.problem import Fault
from chimney.wire.telemetry import LEVELS

LONGEST_SECONDS = 86_400.0
MOST_LOGGERS = 100
ROOT = "root"
REQUESTS = "chimney.request"  # the records of requests are no log calls: the pipe is told their level
_LOGGER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")


class Setting(msgspec.Struct):
    """Of one logger: what it had at first, what it has when nothing is temporary, and what ends the temporary."""

    original: int
    settled: int
    reverts_at: float | None = None
    reverting: asyncio.TimerHandle | None = None


def asker(record: RequestRecord | None) -> dict[str, str | None]:
    """Who asks, as it may be told: a token by the beginning of its hash only."""
    if record is None:
        return {"token": None, "client": None, "request_id": None}
    header = record.headers.get(b"authorization", b"")
    token = hashlib.sha256(header[7:].strip()).hexdigest()[:8] if header else "loopback"
    return {"token": token, "client": record.client, "request_id": record.request_id}


class LogLevel:
    """Changes levels on the event loop only."""

    def __init__(self, pipe: LogPipe, events: Says) -> None:
        self._pipe = pipe
        self._events = events
        self._configured = logging.getLogger().level
        self._changed: dict[str, Setting] = {}

    def levels(self) -> LogLevels:
        root = self._changed.get(ROOT)
        loggers = [
            LoggerLevel(
                logger=name, level=_name(_logger(name).level), reverts_at=_at(setting) if setting.reverts_at else None
            )
            for name, setting in sorted(self._changed.items())
            if name != ROOT
        ]
        return LogLevels(
            level=_name(logging.getLogger().level),
            configured=_name(self._configured),
            reverts_at=_at(root) if root else None,
            loggers=loggers,
        )

    def change(self, change: LogLevelChange, record: RequestRecord | None) -> LogLevels:
        """Raises ProblemError, and has then changed nothing."""
        number = _level(change.level)
        name = _name_of_logger(change.logger)
        seconds = _seconds(change.for_seconds)
        if name not in self._changed and len(self._changed) >= MOST_LOGGERS:
            raise _bad("$.logger", f"{MOST_LOGGERS} loggers have a level of their own already")
        setting = self._changed.setdefault(name, Setting(_logger(name).level, _logger(name).level))
        before = _name(_logger(name).level)
        if setting.reverting:
            setting.reverting.cancel()
        setting.reverts_at = setting.reverting = None
        by = asker(record)
        if seconds is None:
            setting.settled = number
        else:
            setting.reverts_at = time.time() + seconds
            setting.reverting = asyncio.get_running_loop().call_later(seconds, self._revert, name, by)
        self._set(name, number)
        until = f" for {seconds:g} s" if seconds is not None else ""
        self._events.say(
            "log_level",
            f"Log level of {name}: {before} to {_name(number)}{until}",
            logger=name,
            before=before,
            after=_name(number),
            reverts_at=_at(setting),
            reverted=False,
            by=by,
        )
        return self.levels()

    def _revert(self, name: str, by: dict[str, str | None]) -> None:
        setting = self._changed[name]
        before = _name(_logger(name).level)
        setting.reverts_at = setting.reverting = None
        self._set(name, setting.settled)
        if setting.settled == setting.original:
            del self._changed[name]
        after = _name(_logger(name).getEffectiveLevel())
        self._events.say(
            "log_level",
            f"Log level of {name}: {before} back to {after}",
            logger=name,
            before=before,
            after=after,
            reverts_at=None,
            reverted=True,
            by=by,
        )

    def _set(self, name: str, number: int) -> None:
        _logger(name).setLevel(number)
        self._pipe.least_request = logging.getLogger(REQUESTS).getEffectiveLevel()

    def close(self) -> None:
        """Everything as it was: the levels are the process's, not this origin's."""
        for name, setting in self._changed.items():
            if setting.reverting:
                setting.reverting.cancel()
            self._set(name, setting.original)
        self._changed.clear()


def _logger(name: str) -> logging.Logger:
    return logging.getLogger(None if name == ROOT else name)


def _name(number: int) -> str:
    """The level at or below; a logger without one of its own says `inherited`."""
    if number == logging.NOTSET:
        return "inherited"
    return next((name for name, least in reversed(LEVELS.items()) if number >= least), "debug")


def _at(setting: Setting) -> Any:
    return stamp(setting.reverts_at) if setting.reverts_at else None


def _bad(path: str, detail: str) -> ProblemError:
    return ProblemError(400, "malformed", f"{path}: {detail}", errors=[Fault(path=path, detail=detail)])


def _level(said: str) -> int:
    if said.lower() not in LEVELS:
        raise _bad("$.level", f"{said[:40]!r} is none of {', '.join(LEVELS)}")
    return LEVELS[said.lower()]


def _name_of_logger(said: str | None) -> str:
    if not said or said == ROOT:
        return ROOT
    if len(said) > 200 or not _LOGGER.fullmatch(said):
        raise _bad("$.logger", "should be the name of a logger, such as chimney.github or httpx2")
    return said


def _seconds(said: float | None) -> float | None:
    if said is not None and not 0 < said <= LONGEST_SECONDS:
        raise _bad("$.for_seconds", f"should be more than 0 and at most {LONGEST_SECONDS:.0f}")
    return said


def routes(level: LogLevel, *, read_scope: Callable[..., None], operate_scope: Callable[..., None]) -> list[Any]:
    @get("/api/log-level", guards=[read_scope], summary="What is logged now", tags=["logs"])
    async def read() -> LogLevels:
        """`loggers` are those with a level of their own, and when they revert."""
        return level.levels()

    @post("/api/log-level", guards=[operate_scope], summary="Change what is logged", tags=["logs"], status_code=200)
    async def change(data: Annotated[LogLevelChange, Body()]) -> LogLevels:
        """At once, for `for_seconds` or until the process ends. Answers what is logged then."""
        return level.change(data, current.get())

    return [read, change]
