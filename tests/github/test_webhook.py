"""Only what GitHub signed with our secret is taken, and nothing of the rest is even parsed."""

import hashlib
import hmac
import json
from urllib.parse import urlencode

import pytest

from chimney.github.webhook import (
    BadSignatureError,
    Head,
    RefusedError,
    Signature,
    read_delivery,
    read_head,
)

SECRET, BODY = "It's a Secret to Everybody", b"Hello, World!"
VECTOR = b"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"  # from GitHub's documentation
NAME = b"X-Hub-Signature-256"
JSON = Head("push", "72d3162e-cc78-11e3-81ab-4c9367dc0958", form=False)
FORM = JSON._replace(form=True)


def sign(body: bytes, secret: str = SECRET) -> bytes:
    return b"sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()


def is_taken(headers: list[tuple[bytes, bytes]], *pieces: bytes, secret: str = SECRET) -> bool:
    try:
        signature = Signature(secret, headers)
        for piece in pieces or (BODY,):
            signature.update(piece)
        signature.check()
    except BadSignatureError:
        return False
    return True


def test_githubs_own_example_is_taken_whole_and_in_pieces() -> None:
    assert is_taken([(NAME, VECTOR)])
    assert is_taken([(NAME.lower(), VECTOR)], b"Hello,", b"", b" World!")


REFUSED = {
    "missing": [],
    "empty": [(NAME, b"")],
    "sha1 only": [(b"X-Hub-Signature", b"sha1=" + hmac.new(SECRET.encode(), BODY, hashlib.sha1).hexdigest().encode())],
    "sha1 in its place": [(NAME, b"sha1=" + b"a" * 40)],
    "too short": [(NAME, VECTOR[:-1])],
    "too long": [(NAME, VECTOR + b"0")],
    "upper case": [(NAME, VECTOR.upper())],
    "upper case digits": [(NAME, b"sha256=" + VECTOR[7:].upper())],
    "not ASCII": [(NAME, b"sha256=" + "ü".encode() * 32)],
    "NUL": [(NAME, VECTOR[:-1] + b"\0")],
    "white space": [(NAME, b" " + VECTOR)],
    "twice": [(NAME, VECTOR), (NAME, VECTOR)],
    "a wrong and the right one": [(NAME, sign(BODY, "other")), (NAME, VECTOR)],
    "joined": [(NAME, VECTOR + b", " + VECTOR)],
    "of another secret": [(NAME, sign(BODY, "other"))],
    "of the empty secret": [(NAME, sign(BODY, ""))],
    "of another body": [(NAME, sign(BODY + b" "))],
}


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED.keys())
def test_every_other_signature_is_refused_and_raises_nothing_else(headers: list[tuple[bytes, bytes]]) -> None:
    assert not is_taken(headers)


def test_the_signature_is_of_the_bytes_as_they_came() -> None:
    body = b'{"b":  1,\t"a": "\\u00fc"}'
    signed = [(NAME, sign(body))]
    assert is_taken(signed, body)
    for other in (json.dumps(json.loads(body)).encode(), body + b"\n", '{"b":  1,\t"a": "ü"}'.encode(), body[:-1]):
        assert not is_taken(signed, other)
    text = '{"a": "ü"}'
    assert not is_taken([(NAME, sign(text.encode("utf-8")))], text.encode("latin-1"))


def test_without_a_secret_nothing_is_taken() -> None:
    assert not is_taken([(NAME, sign(BODY, ""))], secret="")


USUAL = {"content-type": "application/json", "x-github-event": "push", "x-github-delivery": JSON.id}


def head_of(**changed: str | None) -> Head:
    named = {**USUAL, **{name.replace("_", "-"): value for name, value in changed.items()}}
    return read_head([(name.encode(), value.encode("latin-1")) for name, value in named.items() if value is not None])


def test_the_headers_say_what_it_is() -> None:
    assert head_of() == JSON
    assert head_of(content_type="Application/JSON; charset=utf-8") == JSON
    assert head_of(content_type="application/x-www-form-urlencoded") == FORM


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x_github_event", None),
        ("x_github_event", ""),
        ("x_github_event", "Push"),
        ("x_github_event", "push\nfoo"),
        ("x_github_event", "a" * 65),
        ("x_github_delivery", None),
        ("x_github_delivery", "short"),
        ("x_github_delivery", "../../etc/passwd"),
        ("x_github_delivery", "a" * 65),
        ("content_type", None),
        ("content_type", "text/plain"),
    ],
)
def test_a_header_out_of_bounds_is_named(header: str, value: str | None) -> None:
    with pytest.raises(RefusedError) as caught:
        head_of(**{header: value})
    assert caught.value.fault == f"header.{header.replace('_', '-')}"


def test_a_header_given_twice_is_refused() -> None:
    with pytest.raises(RefusedError):
        read_head([(name.encode(), value.encode()) for name, value in [*USUAL.items(), ("x-github-event", "ping")]])


PAYLOAD = {"action": "opened", "repository": {"full_name": "acme/rocket"}, "commits": [{"id": "a"}], "ref": "r"}


@pytest.mark.parametrize(
    ("head", "body"),
    [(JSON, json.dumps(PAYLOAD).encode()), (FORM, urlencode({"payload": json.dumps(PAYLOAD)}).encode())],
)
def test_a_body_is_read_as_json_or_as_a_form(head: Head, body: bytes) -> None:
    delivery = read_delivery(head, body)
    assert (delivery.event, delivery.action, delivery.repo) == ("push", "opened", "acme/rocket")
    assert delivery.payload["ref"] == "r"
    assert "commits" not in delivery.payload


BOMB = b"[" * 100_000
BAD = {
    "empty": (JSON, b""),
    "cut off": (JSON, b'{"action": "op'),
    "a list": (JSON, b"[]"),
    "a number": (JSON, b"1"),
    "nested": (JSON, BOMB),
    "nested inside": (JSON, b'{"ref": ' + BOMB + b"]" * 100_000 + b"}"),
    "nested where nobody looks": (JSON, b'{"else": ' + BOMB + b"]" * 100_000 + b"}"),
    "not UTF-8": (JSON, b'{"action": "\xff\xfe"}'),
    "not UTF-8 in a name": (JSON, b'{"\xff": 1}'),
    "half a surrogate": (JSON, b'{"action": "\\ud800"}'),
    "a form without the field": (FORM, b"other=1"),
    "a form with the field twice": (FORM, b"payload=%7B%7D&payload=%7B%7D"),
    "a form that is none": (FORM, b'{"action": "opened"}'),
    "a form with bad escapes": (FORM, b"payload=%ff%fe"),
    "a form of many fields": (FORM, b"&".join(b"a=1" for _ in range(100))),
    "a form with half a surrogate": (FORM, b"payload=%ed%a0%80"),
}


@pytest.mark.parametrize(("head", "body"), BAD.values(), ids=BAD.keys())
def test_a_body_that_is_no_json_object_is_refused(head: Head, body: bytes) -> None:
    with pytest.raises(RefusedError):
        read_delivery(head, body)


@pytest.mark.parametrize("payload", [{}, {"action": 5, "repository": "x"}, {"repository": {"full_name": ["a"]}}])
def test_parts_of_another_type_are_taken_as_not_said(payload: object) -> None:
    delivery = read_delivery(JSON, json.dumps(payload).encode())
    assert (delivery.action, delivery.repo) == (None, None)
