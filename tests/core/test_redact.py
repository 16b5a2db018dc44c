"""Text from outside, made safe to keep and to show."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimney.core.redact import LONGEST, is_plain, names_a_secret, safe

GHP = "ghp_" + "a1B2" * 9
SECRETS = [
    GHP,
    "gho_" + "x" * 36,
    "ghs_" + "x" * 36,
    "github_pat_" + "A1_b" * 20,
    "AKIAIOSFODNN7EXAMPLE",
    "chimney_" + "Ab1" * 15 + "x",
    "chimtv_" + "Ab-" * 10,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpM",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "Authorization: Bearer {}", "/x?access_token={}&y=1", "a {} b", '"{}"'])
def test_a_secret_is_masked_wherever_it_stands(secret: str, around: str) -> None:
    shown = safe(around.format(secret))
    assert secret not in shown
    assert secret[8:] not in shown
    assert "…masked" in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer dGhpcyBpcyBhIHNlY3JldA==", "Authorization: Bearer …masked"),
        ("bearer abc=def=ghi=jkl", "bear…masked"),
        ("/hook?token=abc&x=1", "/hook?token=…masked&x=1"),
        ("/x?client_secret=abc", "/x?client_secret=…masked"),
        ("/x?a=1&API_KEY=abc", "/x?a=1&API_KEY=…masked"),
        ("the token is fine", "the token is fine"),
        ("bearer of news", "bearer of news"),
    ],
)
def test_what_a_secret_was_for_stays_readable(text: str, shown: str) -> None:
    assert safe(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\u001b[2J"),
        ("a\x00b", "a\\u0000b"),
        ("a\rb", "a\\u000db"),
        ("\x9b31m", "\\u009b31m"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\ud800", "\\ud800"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("größe 🚀", "größe 🚀"),
    ],
)
def test_what_cannot_be_seen_is_spelled_out(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_a_long_text_is_cut_and_its_length_told() -> None:
    shown = safe("x" * 1_000_000)
    assert len(shown) < LONGEST + 40
    assert shown.endswith("… (1000000 characters)")


@pytest.mark.parametrize("before", [90, 95, 99])
def test_a_secret_that_the_cut_would_halve_is_masked_all_the_same(before: int) -> None:
    assert GHP[:10] not in safe("x" * before + GHP, longest=100)


@given(st.text(st.characters()) | st.text("\x1b\ud800\u202e\r\nab"), st.integers(1, 50))
def test_safe_text_is_always_encodable_and_bounded(text: str, longest: int) -> None:
    shown = safe(text, longest=longest)
    shown.encode()
    assert len(shown) <= longest * 6 + 40


@pytest.mark.parametrize(
    "hostile",
    [
        "eyJ" * 2700,
        "://" * 2700,
        "?a=authorization:" * 500,
        "&a-" * 2700 + "=",
        "-----BEGIN " * 700,
        "&" + "token" * 1600,
        "?a&" * 2700,
        "bearer " * 1100,
        "&" + "-" * 8000,
        "ghp_" * 2000,
    ],
)
def test_no_text_takes_long_to_make_safe(hostile: str) -> None:
    began = time.process_time()
    safe(hostile)
    assert time.process_time() - began < 0.3


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic …masked"),
        ("{'authorization': 'token abc', 'x': 1}", "{'authorization': 'token …masked', 'x': 1}"),
        ("AUTHORIZATION=abc next", "AUTHORIZATION=…masked next"),
        ("/callback?code=4f&state=x", "/callback?code=…masked&state=x"),
        ("/o?X-Amz-Signature=ab12&X-Amz-Credential=k%2F1", "/o?X-Amz-Signature=…masked&X-Amz-Credential=…masked"),
        ("/x?sig=1;key=2&private_key=3", "/x?sig=…masked;key=…masked&private_key=…masked"),
        ("/x?PASSWORD=a&passwd=b", "/x?PASSWORD=…masked&passwd=…masked"),
        ("redis://user:hunter2@cache:6379/0", "redis://user:…masked@cache:6379/0"),
        ("redis://:hunter2@cache", "redis://:…masked@cache"),
        ("http://[::1]:8080/x@y", "http://[::1]:8080/x@y"),
        ("/x?status_code=200&monkey=1&page=2", "/x?status_code=200&monkey=1&page=2"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END", "-----BEGIN RSA PRIVATE KEY-----…masked-----END"),
        ("ASIAIOSFODNN7EXAMPLE", "ASIA…masked"),
        ("glpat-" + "a" * 20, "glpa…masked"),
    ],
)
def test_what_is_secret_by_its_place_is_masked(text: str, shown: str) -> None:
    assert safe(text) == shown


@pytest.mark.parametrize("name", ["token", "X-Api-Key", "client_secret", "Authorization", "set-cookie", "db.password"])
def test_a_name_of_a_secret_is_known(name: str) -> None:
    assert names_a_secret(name)


@pytest.mark.parametrize("name", ["key", "path", "status_code", "", "author", "x" * 100_000])
def test_any_other_name_is_not(name: str) -> None:
    assert not names_a_secret(name)


@pytest.mark.parametrize(
    "text",
    [
        *("plain words, 12 ms", "/api/orders/17", "a=b", "?token=abc", "https://u:p@host/", "ghp_" + "a" * 30, "gh_"),
        *("GITHUB_PAT_" + "a" * 30, "AKIA" + "A" * 16, "Bearer abcdefghijklmnop", "Authorization: x", "über", "\x07"),
        *(
            "\x7f",
            "\u202e",
            "-----BEGIN PRIVATE KEY-----abc",
            "glpat-" + "a" * 20,
            "eyJ" + "a" * 12 + ".b",
            "tab\there",
        ),
    ],
)
def test_what_is_plain_is_safe_as_it_is(text: str) -> None:
    for data in (json.dumps({"message": text}).encode(), json.dumps({"m": text}, ensure_ascii=False).encode()):
        assert not is_plain(data) or safe(text) == text


def test_most_records_are_plain() -> None:
    assert is_plain(b'{"level":"info","message":"GET /api/orders/17 200 1.2 ms","status":200}')
