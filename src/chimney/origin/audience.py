"""Who may see what of GitHub: a private repository is for the scope read, whatever token it was fetched with."""

from typing import Protocol

import msgspec

from chimney.core.grammar import Kind
from chimney.github.client import GitHubClient
from chimney.origin.cache import GitHubCache
from chimney.origin.watched import Watched
from chimney.web.asgi import Scope
from chimney.web.auth import Scope as TokenScope
from chimney.web.auth import Tokens
from chimney.web.problem import ProblemError
from chimney.web.record import record_of
from chimney.wire.github import Repository

ROUND_SECONDS = 30.0  # a repository that became private must be so here within a minute, told or not


class Admits(Protocol):
    """What the proxy asks. `is_public` is None while it is not known."""

    def is_public(self, repo: str) -> bool | None: ...

    async def admit(self, repo: str, scope: Scope) -> bool: ...

    def may_read(self, scope: Scope) -> bool: ...


class Everybody:
    """Of an origin whose repositories are all public."""

    def is_public(self, _repo: str) -> bool | None:
        return True

    async def admit(self, _repo: str, _scope: Scope) -> bool:
        return True

    def may_read(self, _scope: Scope) -> bool:
        return False


class Audience:
    """Without credentials GitHub shows only what is public."""

    def __init__(self, cache: GitHubCache, client: GitHubClient, watched: Watched, tokens: Tokens) -> None:
        self._cache = cache
        self._client = client
        self._watched = watched
        self._tokens = tokens

    def is_public(self, repo: str) -> bool | None:
        if not self._client.authenticated:
            return True
        private = self._watched.is_private(repo)
        return None if private is None else not private

    def may_read(self, scope: Scope) -> bool:
        try:
            self._require(scope)
        except ProblemError:
            return False
        return True

    def _require(self, scope: Scope) -> None:
        peer = scope.get("client")
        self._tokens.require(TokenScope.READ, record_of(scope), peer[0] if peer else None)

    async def admit(self, repo: str, scope: Scope) -> bool:
        """Whether everybody may see it. Raises ProblemError when this request may not."""
        public = self.is_public(repo)
        if public is None and self.may_read(scope):
            return False
        if public is None:
            public = await self._ask(repo)
        if not public:
            self._require(scope)
        return public

    async def _ask(self, repo: str) -> bool:
        """Raises ProblemError when GitHub does not say: what may be private is shown to nobody."""
        answer = await self._cache.get(self._cache.key(Kind.REPOSITORY, f"/repos/{repo}"))
        if answer.response.status != 200:
            return True  # GitHub shows nothing of it
        try:
            private = msgspec.json.decode(answer.response.body, type=Repository).private
        except (msgspec.DecodeError, UnicodeDecodeError):
            private = True
        self._watched.learn(repo, private=private)
        return not private

    async def look(self) -> float:
        """A loop's verb: asks of each repository that is named whether it is public still, which costs 304s."""
        for repo in self._watched.named:
            try:
                await self._ask(repo)
            except ProblemError:
                return ROUND_SECONDS
        return ROUND_SECONDS
