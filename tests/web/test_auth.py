"""Who may ask what of an origin."""

import pytest

from chimney.web.auth import Scope, Tokens
from chimney.web.problem import ProblemError
from chimney.web.record import begin

NOBODY = Tokens(read=[], deploy=[], operate=[])
TOKENS = Tokens(read=["r1", "r2"], deploy=["d"], operate=["ö-operate"])
AWAY = "203.0.113.9"


def refusal(tokens: Tokens, scope: Scope, *, peer: str | None = "127.0.0.1", **headers: str) -> ProblemError | None:
    """None when the request may pass."""
    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    record = begin({"type": "http", "method": "GET", "path": "/", "headers": told, "client": (peer, 1)})
    try:
        tokens.require(scope, record, peer)
    except ProblemError as error:
        return error
    return None


ABOVE = [Scope.READ, Scope.DEPLOY, Scope.OPERATE]


@pytest.mark.parametrize("tokens", [NOBODY, TOKENS])
@pytest.mark.parametrize("peer", ["127.0.0.1", AWAY, None])
def test_what_is_public_is_open_to_all(tokens: Tokens, peer: str | None) -> None:
    assert refusal(tokens, Scope.PUBLIC, peer=peer, x_forwarded_for=AWAY) is None


@pytest.mark.parametrize("scope", ABOVE)
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1"])
def test_without_tokens_this_machine_itself_is_answered(scope: Scope, peer: str) -> None:
    assert refusal(NOBODY, scope, peer=peer) is None


@pytest.mark.parametrize("scope", ABOVE)
@pytest.mark.parametrize(
    ("host", "answered"),
    [
        ("127.0.0.1:8080", True),
        ("127.0.0.1", True),
        ("[::1]:8080", True),
        ("localhost:8080", True),
        ("LOCALHOST", True),
        ("origin.localhost:8080", True),
        ("box:8080", True),
        ("", True),
        ("evil.example:8080", False),
        ("evil.example.:8080", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("127.0.0.1@evil.example", False),
        ("localhost:8080@evil.example:8080", False),
    ],
)
def test_without_tokens_a_page_that_made_its_name_point_here_is_refused(
    scope: Scope, host: str, answered: bool
) -> None:
    """DNS rebinding: to its browser such a page is our own; only the Host tells."""
    assert (refusal(NOBODY, scope, host=host) is None) is answered
    assert refusal(TOKENS, Scope.READ, host=host, authorization="Bearer r1") is None, "a token is enough"


@pytest.mark.parametrize("scope", ABOVE)
@pytest.mark.parametrize("header", ["x_forwarded_for", "x_forwarded_host", "forwarded", "via", "x_real_ip"])
def test_without_tokens_what_came_through_a_proxy_is_told_which_setting_to_set(scope: Scope, header: str) -> None:
    refused = refusal(NOBODY, scope, **{header: "127.0.0.1"})
    assert refused is not None
    assert refused.status == 401
    assert f"CHIMNEY_{scope.upper()}_TOKEN" in refused.detail
    assert dict(refused.headers)[b"www-authenticate"].startswith(b"Bearer")


@pytest.mark.parametrize("scope", ABOVE)
@pytest.mark.parametrize("peer", [AWAY, "10.0.0.1", "", None, "127.0.0.1.evil"])
def test_without_tokens_other_machines_are_refused(scope: Scope, peer: str | None) -> None:
    refused = refusal(NOBODY, scope, peer=peer)
    assert refused is not None
    assert refused.status == 401


MATRIX = {
    "r1": {Scope.READ},
    "r2": {Scope.READ},
    "d": {Scope.DEPLOY},
    "ö-operate": {Scope.READ, Scope.OPERATE},
}


@pytest.mark.parametrize("scope", ABOVE)
@pytest.mark.parametrize("token", MATRIX)
@pytest.mark.parametrize("peer", ["127.0.0.1", AWAY])
def test_a_token_opens_its_scopes_and_no_other(token: str, scope: Scope, peer: str) -> None:
    refused = refusal(TOKENS, scope, peer=peer, authorization=f"Bearer {token}")
    assert (refused.status if refused else None) == (None if scope in MATRIX[token] else 403)


@pytest.mark.parametrize("scope", ABOVE)
@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer x", "Bearer r1x", "Bearer r", "r1", "Basic r1", "Token r1", "Bearer tökén",
     "Bearer \x00", "Bearer r1,r2", "bearer\tr1", "Bearer " + "x" * 10_000],
)  # fmt: skip
def test_what_is_no_known_token_is_refused_also_on_this_machine(scope: Scope, authorization: str) -> None:
    refused = refusal(TOKENS, scope, authorization=authorization)
    assert refused is not None
    assert refused.status == 401
    assert "r1" not in refused.detail


def test_the_scheme_is_taken_in_any_case() -> None:
    assert refusal(TOKENS, Scope.READ, authorization="bEARER r1") is None


@pytest.mark.parametrize("authorization", ["Bearer ", "Basic x", "x", "Bearer  "])
def test_an_empty_token_is_no_token(authorization: str) -> None:
    tokens = Tokens(read=["", " "], deploy=["d"], operate=[])
    refused = refusal(tokens, Scope.READ, peer=AWAY, authorization=authorization)
    assert refused is not None
    assert refused.status == 401
