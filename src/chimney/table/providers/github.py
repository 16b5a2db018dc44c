"""Signing in with GitHub: who one is by the numeric id, which stays when a login is renamed and taken by another.

Only members of the organisations or teams of CHIMNEY_TABLE_GITHUB_ALLOW are let in, or users by their login. The token
that GitHub gives is used for these questions and forgotten.
"""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

import httpx2

from chimney.config import TableSettings
from chimney.core.account import Person
from chimney.table.providers.asking import ask
from chimney.table.providers.oidc import challenge_of
from chimney.table.providers.person import Challenge, RefusedError, UnreachableError, text_of
from chimney.wire.account import Source


class GitHub:
    """A Provider."""

    source = Source.GITHUB

    def __init__(self, settings: TableSettings, client: httpx2.AsyncClient) -> None:
        self._id = settings.github_client_id or ""
        self._secret = settings.github_client_secret.get_secret_value() if settings.github_client_secret else ""
        self._allowed = settings.github_allow
        self._url = settings.github_url
        self._api = settings.github_api_url
        self._client = client

    async def address(self, challenge: Challenge) -> str:
        asked = {
            "client_id": self._id,
            "redirect_uri": challenge.redirect_uri,
            "state": challenge.state,
            "code_challenge": challenge_of(challenge.verifier),
            "code_challenge_method": "S256",
        }
        if any(not one.startswith("user:") for one in self._allowed):
            asked["scope"] = "read:org"
        return f"{self._url}/login/oauth/authorize?{urlencode(asked)}"

    async def person(self, challenge: Challenge, answer: Mapping[str, str]) -> Person:
        form = {
            "client_id": self._id,
            "client_secret": self._secret,
            "code": answer["code"],
            "redirect_uri": challenge.redirect_uri,
            "code_verifier": challenge.verifier,
        }
        _, tokens = await ask(self._client, f"{self._url}/login/oauth/access_token", form=form)
        token = text_of(tokens, "access_token")  # a refusal is a 200 too
        if token is None:
            raise RefusedError("GitHub does not take the code. Sign in again.")
        status, user = await ask(self._client, f"{self._api}/user", bearer=token)
        number, login = user.get("id"), text_of(user, "login")
        if status != 200 or not isinstance(number, int) or isinstance(number, bool) or login is None:
            raise UnreachableError(f"GitHub answered {status} when asked who it is")
        if not self._allowed:
            raise RefusedError("CHIMNEY_TABLE_GITHUB_ALLOW names nobody, so nobody on GitHub may sign in here.")
        for one in self._allowed:
            if await self._is_one(one, login, token):
                return Person(Source.GITHUB, f"github {self._url} {number}", login)
        raise RefusedError(f"{login} is in none of the organisations and teams that may sign in here. Ask an admin.")

    async def _is_one(self, allowed: str, login: str, token: str) -> bool:
        """Whether the user is the one, or an active member of the organisation or team."""
        if allowed.startswith("user:"):
            return allowed.removeprefix("user:").lower() == login.lower()
        organisation, _, team = allowed.partition("/")
        path = f"user/memberships/orgs/{quote(organisation, safe='')}"
        if team:
            path = (
                f"orgs/{quote(organisation, safe='')}/teams/{quote(team, safe='')}/memberships/{quote(login, safe='')}"
            )
        status, found = await ask(self._client, f"{self._api}/{path}", bearer=token)
        return status == 200 and found.get("state") == "active"
