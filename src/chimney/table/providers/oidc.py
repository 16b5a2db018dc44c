"""Signing in by OpenID Connect: discovery, the code flow with PKCE (S256), an id token that is verified by PyJWT.

OpenID Connect Core 1.0 §3.1.3.7 (what is checked), RFC 7636 (PKCE), RFC 9207 (`iss` in the callback).
"""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import httpx2

from chimney.config import TableSettings
from chimney.core.account import Person
from chimney.table.providers.asking import ask
from chimney.table.providers.person import Challenge, RefusedError, UnreachableError, text_of
from chimney.wire.account import Source

KNOWN_SECONDS = 3_600.0  # what was discovered; keys that are not among them are asked for at once
KEYS_SECONDS = 60.0  # but not more often than this
SKEW_SECONDS = 60
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_NEEDED = ["iss", "sub", "aud", "exp", "iat"]


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class Oidc:
    """A Provider. Nothing is asked before somebody signs in."""

    source = Source.OIDC

    def __init__(self, settings: TableSettings, client: httpx2.AsyncClient) -> None:
        self._issuer = settings.oidc_issuer or ""
        self._id = settings.oidc_client_id or ""
        self._secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else ""
        self._allowed = settings.oidc_allow
        self._client = client
        self._found: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, Any] | None = None

    async def address(self, challenge: Challenge) -> str:
        found = await self._discovered()
        scopes = ["openid", "profile", "email"]
        if any(one.startswith("group:") for one in self._allowed) and "groups" in found.get("scopes_supported", ()):
            scopes.append("groups")
        asked = {
            "response_type": "code",
            "client_id": self._id,
            "redirect_uri": challenge.redirect_uri,
            "scope": " ".join(scopes),
            "state": challenge.state,
            "nonce": challenge.nonce,
            "code_challenge": challenge_of(challenge.verifier),
            "code_challenge_method": "S256",
        }
        place = found["authorization_endpoint"]
        return f"{place}{'&' if '?' in place else '?'}{urlencode(asked)}"

    async def person(self, challenge: Challenge, answer: Mapping[str, str]) -> Person:
        found = await self._discovered()
        said = answer.get("iss")
        if (said or found.get("authorization_response_iss_parameter_supported")) and said != found["issuer"]:
            raise RefusedError("The answer is not of the issuer that was asked.")
        tokens = await self._tokens(found, challenge, answer["code"])
        claims = await self._claims(found, text_of(tokens, "id_token") or "")
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), challenge.nonce.encode()):
            raise RefusedError("The answer is not to this sign-in.")
        claims |= await self._told(found, claims, text_of(tokens, "access_token"))
        if not is_allowed(claims, self._allowed):
            raise RefusedError(f"{shown(claims)} is not among those who may sign in here. Ask an admin.")
        return Person(Source.OIDC, f"oidc {self._issuer} {claims['sub']}", shown(claims))

    async def _discovered(self) -> dict[str, Any]:
        if self._found and time.monotonic() - self._found[0] < KNOWN_SECONDS:
            return self._found[1]
        status, found = await ask(self._client, f"{self._issuer}/.well-known/openid-configuration")
        if status != 200:
            raise UnreachableError(f"{self._issuer} answered {status} to discovery")
        if (found.get("issuer") or "").rstrip("/") != self._issuer:
            raise UnreachableError("the issuer calls itself by another name than CHIMNEY_TABLE_OIDC_ISSUER")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            place = text_of(found, name) or ""
            if not place.startswith("https://" if self._issuer.startswith("https://") else ("http://", "https://")):
                raise UnreachableError(f"the issuer names no usable {name}")
        self._found = time.monotonic(), found
        return found

    async def _tokens(self, found: Mapping[str, Any], challenge: Challenge, code: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": challenge.redirect_uri,
            "code_verifier": challenge.verifier,
        }
        methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        auth = None
        if self._secret and "client_secret_basic" in methods:
            auth = quote(self._id, safe=""), quote(self._secret, safe="")  # RFC 6749 §2.3.1
        else:
            form |= {"client_id": self._id} | ({"client_secret": self._secret} if self._secret else {})
        status, tokens = await ask(self._client, found["token_endpoint"], form=form, auth=auth)
        if status != 200:
            raise RefusedError("The issuer does not take the code. Sign in again.")
        return tokens

    async def _claims(self, found: Mapping[str, Any], token: str) -> dict[str, Any]:
        """What the id token says, once it is known to be the issuer's, for us, and of now."""
        import jwt  # noqa: PLC0415 — 12 MB that only a sign-in needs

        try:
            key = await self._key(found["jwks_uri"], jwt.get_unverified_header(token).get("kid"))
            return await asyncio.to_thread(self._decoded, token, key, found["issuer"])
        except jwt.PyJWTError as error:
            raise RefusedError(f"The id token is not good: {type(error).__name__}.") from None

    def _decoded(self, token: str, key: Any, issuer: str) -> dict[str, Any]:
        import jwt  # noqa: PLC0415

        if key.algorithm_name not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            audience=self._id,
            issuer=issuer,
            leeway=SKEW_SECONDS,
            options={"require": _NEEDED},
        )
        if claims.get("azp", self._id) != self._id:
            raise jwt.InvalidAudienceError
        return claims

    async def _key(self, address: str, kid: str | None) -> Any:
        """The issuer's key of that id; asked for again, once a minute at most, when it is not known."""
        import jwt  # noqa: PLC0415

        now = time.monotonic()
        if self._keys is None or (now - self._keys[0] > KEYS_SECONDS and _of(self._keys[1], kid) is None):
            status, body = await ask(self._client, address)
            if status != 200:
                raise UnreachableError(f"the issuer answered {status} when asked for its keys")
            self._keys = now, jwt.PyJWKSet.from_dict(body).keys
        key = _of(self._keys[1], kid)
        if key is None:
            raise jwt.InvalidKeyError
        return key

    async def _told(self, found: Mapping[str, Any], claims: Mapping[str, Any], access: str | None) -> dict[str, Any]:
        """Claims that the id token leaves to the userinfo endpoint; those of the token itself are not overwritten."""
        place = text_of(found, "userinfo_endpoint")
        if not place or not access or {"email", "preferred_username"} <= claims.keys():
            return {}
        status, told = await ask(self._client, place, bearer=access)
        if status != 200 or told.get("sub") != claims["sub"]:
            return {}
        return {name: value for name, value in told.items() if name not in claims}


def _of(keys: Sequence[Any], kid: str | None) -> Any:
    """One that signs; the only one when the token names none."""
    usable = [one for one in keys if one.public_key_use in (None, "sig")]
    if kid is None:
        return usable[0] if len(usable) == 1 else None
    return next((one for one in usable if one.key_id == kid), None)


def shown(claims: Mapping[str, Any]) -> str:
    return text_of(claims, "preferred_username") or text_of(claims, "email") or str(claims["sub"])


def is_allowed(claims: Mapping[str, Any], allowed: Sequence[str]) -> bool:
    """Everybody when nobody is named. An address counts only when the issuer has verified it."""
    if not allowed or "*" in allowed:
        return True
    email = text_of(claims, "email") if claims.get("email_verified") is True else None
    groups = claims.get("groups")
    names = {f"group:{one}" for one in groups} if isinstance(groups, list) else set()
    if email:
        names |= {email.lower(), "@" + email.lower().rpartition("@")[2]}
    return bool(names & {one if one.startswith("group:") else one.lower() for one in allowed})
