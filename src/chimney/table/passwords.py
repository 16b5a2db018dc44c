"""Passwords: argon2id (19 MiB, 2 rounds: OWASP's least), ~50 ms each, in one thread, a bounded number waiting."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import argon2

from chimney.web.problem import ProblemError

LONGEST_PASSWORD = 1_000  # argon2 reads all of it
WAITING = 20
RESERVED = 5  # more, for browsers that signed in before: strangers must not keep them waiting outside
_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# of a password that nobody knows: an unknown user costs as much as a known one
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$lh2njAq0diVLnPRou63aTA$pAhVmLkliJyi4fW5KjQmeFn4gWg3hSI+mn/MXnFNhtM"
T = TypeVar("T")


class Passwords:
    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="password")
        self._waiting = 0

    async def verify(self, known: str, password: str, *, trusted: bool = False) -> bool:
        """False also when `known` is no hash. Raises ProblemError 503 when too many wait already."""
        if self._waiting >= WAITING + (RESERVED if trusted else 0):
            raise ProblemError(
                503, "busy", "Too many sign-ins at once. Try again in a moment.", headers=[(b"retry-after", b"2")]
            )
        if len(password) > LONGEST_PASSWORD:
            return False
        return await self._run(_matches, known or NOBODY, password)

    async def hash(self, password: str) -> str:
        return await self._run(_hasher.hash, password)

    async def _run(self, act: Callable[..., T], *args: str) -> T:
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, act, *args)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._thread.shutdown(wait=False)


def _matches(known: str, password: str) -> bool:
    try:
        return _hasher.verify(known, password.encode("utf-8", "replace"))
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
