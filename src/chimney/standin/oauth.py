"""Signing in with the stand-in: GitHub's web flow of an OAuth App, with PKCE, and what its user tokens are asked.

Whoever comes is signed in already and agrees: the first of the team, or the one that `login` names. All of the team are
members of the organisation, the first two of its team `deployers`. Any client id and secret will do.
"""

import base64
import hashlib
import hmac
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

import msgspec

from chimney.standin.api import Reply, Request
from chimney.standin.bodies.base import user_body
from chimney.standin.model import User
from chimney.standin.repository import Repository

SECONDS = 600.0
TEAM = "deployers"
KEPT = 1_000

K = TypeVar("K")
V = TypeVar("V")


class _Code(msgspec.Struct, frozen=True):
    user: User
    client: str
    redirect_uri: str
    challenge: str
    at: float


class OAuth:
    def __init__(self, repo: Repository, *, seed: int) -> None:
        self._repo = repo
        self._seed = seed
        self._given = 0
        self._codes: dict[str, _Code] = {}
        self._tokens: dict[bytes, User] = {}

    def reply(self, request: Request, *, now: float) -> Reply | None:
        """None when it is none of this."""
        if request.path == "/login/oauth/authorize":
            return self._authorize(dict(parse_qsl(request.raw_query)), now)
        if request.path == "/login/oauth/access_token":
            return self._exchange(dict(parse_qsl(request.body.decode("latin-1"))), now)
        user = self._tokens.get((request.authorization or b"").rpartition(b" ")[2])
        return self._asked(user, request) if user else None

    def _authorize(self, asked: dict[str, str], now: float) -> Reply:
        back = asked.get("redirect_uri", "")
        people = {one.login: one for one in self._repo.people}
        user = people.get(asked.get("login", self._repo.people[0].login))
        if user is None or not back.startswith(("http://", "https://")):
            return _json(400, {"message": "there is no such login, or no redirect_uri"})
        if asked.get("code_challenge_method", "S256") != "S256":
            return _back(back, {"error": "invalid_request", "state": asked.get("state", "")})
        code = self._new("code")[:20]
        _keep(self._codes, code, _Code(user, asked.get("client_id", ""), back, asked.get("code_challenge", ""), now))
        return _back(back, {"code": code, "state": asked.get("state", "")})

    def _exchange(self, asked: dict[str, str], now: float) -> Reply:
        """As GitHub does, a refusal is a 200 that names an `error`. A code is good once, also when it is refused."""
        code = self._codes.pop(asked.get("code", ""), None)
        good = (
            code is not None
            and now - code.at < SECONDS
            and (code.client, code.redirect_uri) == (asked.get("client_id"), asked.get("redirect_uri"))
            and bool(asked.get("client_secret"))
            and hmac.compare_digest(
                code.challenge, _challenge(asked.get("code_verifier", "")) if code.challenge else ""
            )
        )
        if code is None or not good:
            return _json(
                200, {"error": "bad_verification_code", "error_description": "The code is incorrect or expired."}
            )
        token = "gho_" + self._new("token")[:36]
        _keep(self._tokens, token.encode(), code.user)
        return _json(200, {"access_token": token, "scope": "read:org", "token_type": "bearer"})

    def _asked(self, user: User, request: Request) -> Reply | None:
        team = [one.login for one in self._repo.people]
        owner = self._repo.owner.login
        paths = {
            "/user": user_body(user, request.base) | {"name": user.name},
            f"/user/memberships/orgs/{owner}": {"state": "active", "role": "member"} if user.login in team else None,
            f"/orgs/{owner}/teams/{TEAM}/memberships/{user.login}": (
                {"state": "active", "role": "member"} if user.login in team[:2] else None
            ),
        }
        if request.path in paths:
            body = paths[request.path]
            return _json(200, body) if body else _json(404, {"message": "Not Found"})
        return _json(404, {"message": "Not Found"}) if "/memberships/" in request.path else None

    def _new(self, kind: str) -> str:
        self._given += 1
        return hashlib.sha256(f"{self._seed} {kind} {self._given}".encode()).hexdigest()


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _keep(known: dict[K, V], key: K, value: V) -> None:
    if len(known) >= KEPT:
        del known[next(iter(known))]
    known[key] = value


def _back(place: str, answer: dict[str, str]) -> Reply:
    location = f"{place}{'&' if '?' in place else '?'}{urlencode(answer)}"
    return Reply(302, [(b"location", location.encode("latin-1", "replace")), (b"content-length", b"0")], b"")


def _json(status: int, value: object) -> Reply:
    body = msgspec.json.encode(value)
    headers = [(b"content-type", b"application/json; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    return Reply(status, headers, body)
