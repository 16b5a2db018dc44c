"""Sign-ins that went elsewhere and have not come back: each bound to the browser that began it, and used once.

Bounded: 10,000 at ~700 bytes. Past that the oldest of the same network goes, so that one that begins many pushes out
its own.
"""

import secrets

import msgspec

from chimney.core.attempts import network
from chimney.table.cookies import hashed
from chimney.table.providers.person import Challenge
from chimney.wire.account import Source

SECONDS = 600.0
MOST = 10_000


class Begun(msgspec.Struct, frozen=True):
    """`browser` is the hash of the cookie of the browser that began it; `landing` is where it goes afterwards."""

    source: Source
    challenge: Challenge
    browser: bytes
    landing: str
    network: str
    at: float


class Pending:
    def __init__(self) -> None:
        self._begun: dict[str, Begun] = {}

    def begin(
        self, source: Source, *, redirect_uri: str, browser: str, landing: str, address: str, now: float
    ) -> Challenge:
        while self._begun and next(iter(self._begun.values())).at < now - SECONDS:
            del self._begun[next(iter(self._begun))]
        place = network(address)
        if len(self._begun) >= MOST:
            own = (state for state, one in self._begun.items() if one.network == place)
            del self._begun[next(own, next(iter(self._begun)))]
        challenge = Challenge(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            redirect_uri=redirect_uri,
        )
        self._begun[challenge.state] = Begun(source, challenge, hashed(browser), landing, place, now)
        return challenge

    def take(self, state: str | None, source: Source, *, browser: str | None, now: float) -> Begun | None:
        """What was begun with this state by this browser, this once; None when there is no such thing.

        Another browser does not use it up: whoever learned a state must not end somebody else's sign-in.
        """
        begun = self._begun.get(state or "")
        if begun is None or not browser or begun.source is not source or begun.browser != hashed(browser):
            return None
        del self._begun[begun.challenge.state]
        return begun if now - begun.at < SECONDS else None
