"""Id tokens that are not good, and issuers that are not as they should be."""

import time
from collections.abc import Callable
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from chimney.config import TableSettings
from chimney.table.providers.oidc import Oidc, is_allowed
from chimney.table.providers.person import Challenge, RefusedError, UnreachableError

ISSUER = "https://issuer.test"
KEY, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
CHALLENGE = Challenge("state", "nonce", "verifier", "http://table.localhost/callback")
FOUND = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/auth",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
}


def claims(**more: Any) -> dict[str, Any]:
    now = time.time()
    usual = {
        "iss": ISSUER,
        "aud": "table",
        "sub": "7",
        "exp": now + 60,
        "iat": now,
        "nonce": "nonce",
        "email": "a@b.test",
    }
    return {name: value for name, value in {**usual, **more}.items() if value is not None}


def signed(key: Any = KEY, algorithm: str = "ES256", kid: str | None = "one", **more: Any) -> str:
    return jwt.encode(claims(**more), key, algorithm=algorithm, headers={"kid": kid} if kid else None)


def public(key: Any = KEY, **more: Any) -> dict[str, Any]:
    known: dict[str, Any] = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**known, "kid": "one", "use": "sig", "alg": "ES256", **more}


def issuer(token: str, *, keys: list[Any] | None = None, **more: Any) -> Oidc:
    found = {**FOUND, **more}

    def answer(request: httpx2.Request) -> httpx2.Response:
        said: dict[str, Any] = {
            "/.well-known/openid-configuration": found,
            "/keys": {"keys": [public()] if keys is None else keys},
            "/token": {"id_token": token, "access_token": "opaque"},
            "/userinfo": {"sub": "8", "email": "admin@b.test", "email_verified": True},
        }
        return httpx2.Response(200, json=said[request.url.path])

    settings = TableSettings(oidc_issuer=ISSUER, oidc_client_id="table", oidc_client_secret=SecretStr("s"))
    return Oidc(settings, httpx2.AsyncClient(transport=httpx2.MockTransport(answer)))


async def test_a_good_token_is_believed() -> None:
    person = await issuer(signed()).person(CHALLENGE, {"code": "c"})
    assert (person.subject, person.name) == (f"oidc {ISSUER} 7", "a@b.test")
    person = await issuer(signed(kid=None)).person(CHALLENGE, {"code": "c", "iss": ISSUER})
    assert person.subject == f"oidc {ISSUER} 7"


@pytest.mark.parametrize(
    "token",
    [
        lambda: signed(aud="another"),
        lambda: signed(aud=["another"]),
        lambda: signed(aud=["table", "another"], azp="another"),
        lambda: signed(aud=None),
        lambda: signed(iss="https://evil.test"),
        lambda: signed(nonce="of another sign-in"),
        lambda: signed(nonce=None),
        lambda: signed(exp=time.time() - 3600),
        lambda: signed(exp=None),
        lambda: signed(sub=None),
        lambda: signed(iat=time.time() + 3600),
        lambda: signed(key=OTHER),
        lambda: signed(kid="two"),
        lambda: signed(key=None, algorithm="none"),
        lambda: signed(key="a secret that is long enough for HMAC", algorithm="HS256"),
        lambda: "",
        lambda: "x.y.z",
    ],
)
async def test_a_token_that_is_not_good_lets_nobody_in(token: Callable[[], str]) -> None:
    """OpenID Connect Core 1.0 §3.1.3.7."""
    with pytest.raises(RefusedError):
        await issuer(token()).person(CHALLENGE, {"code": "c"})


async def test_a_shared_key_among_the_issuers_signs_nothing() -> None:
    shared = {"kty": "oct", "k": "YSBzZWNyZXQgdGhhdCBpcyBsb25nIGVub3VnaCBmb3IgSE1BQw", "kid": "one"}
    token = signed(key="a secret that is long enough for HMAC", algorithm="HS256")
    with pytest.raises(RefusedError):
        await issuer(token, keys=[shared]).person(CHALLENGE, {"code": "c"})


@pytest.mark.parametrize(
    ("more", "answer"), [({}, "https://evil.test"), ({"authorization_response_iss_parameter_supported": True}, None)]
)
async def test_an_answer_of_another_issuer_is_refused(more: dict[str, Any], answer: str | None) -> None:
    """RFC 9207: mix-up."""
    with pytest.raises(RefusedError):
        await issuer(signed(), **more).person(CHALLENGE, {"code": "c"} | ({"iss": answer} if answer else {}))


@pytest.mark.parametrize(
    "more",
    [{"issuer": "https://evil.test"}, {"token_endpoint": "http://issuer.test/token"}, {"jwks_uri": None}],
)
async def test_an_issuer_that_is_not_as_it_should_be_is_not_asked(more: dict[str, Any]) -> None:
    with pytest.raises(UnreachableError):
        await issuer(signed(), **more).address(CHALLENGE)


async def test_what_is_told_of_somebody_else_is_not_believed() -> None:
    provider = issuer(signed(email=None), userinfo_endpoint=f"{ISSUER}/userinfo")
    assert (await provider.person(CHALLENGE, {"code": "c"})).name == "7"


@pytest.mark.parametrize(
    ("said", "allowed", "may"),
    [
        ({}, [], True),
        ({}, ["*"], True),
        ({"email": "a@b.test", "email_verified": True}, ["@b.test"], True),
        ({"email": "a@b.test", "email_verified": "true"}, ["@b.test"], False),
        ({"email": "a@b.test"}, ["@b.test"], False),
        ({"email": "a@x.b.test", "email_verified": True}, ["@b.test"], False),
        ({"groups": ["deployers"]}, ["group:deployers"], True),
        ({"groups": "deployers"}, ["group:deployers"], False),
        ({"groups": ["Deployers", 7]}, ["group:deployers"], False),
    ],
)
def test_who_may_sign_in(said: dict[str, Any], allowed: list[str], may: bool) -> None:
    assert is_allowed(said, allowed) is may
