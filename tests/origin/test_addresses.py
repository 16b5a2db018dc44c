"""Our own address in what GitHub answered."""

import pytest

from chimney.origin.addresses import body_for, links
from chimney.store.ports import StoredResponse

GITHUB = "https://api.github.com"
BODY = b'{"url":"https://api.github.com/repos/a/b","html_url":"https://github.com/a/b","text":"see https://api.github.com/x"}'


def stored(body: bytes = BODY) -> StoredResponse:
    return StoredResponse(
        status=200,
        body=body,
        etag=None,
        identity="",
        content_type="application/json",
        links=None,
        vary=[],
        last_modified=None,
        fetched_at=0,
        validated_at=0,
    )


def test_urls_of_the_api_become_ours_and_all_else_stays() -> None:
    body = body_for(stored(), github=GITHUB, base="http://127.0.0.1:8080/api/v3")
    assert b'"url":"http://127.0.0.1:8080/api/v3/repos/a/b"' in body
    assert b'"html_url":"https://github.com/a/b"' in body
    assert b"see https://api.github.com/x" in body


def test_the_rewritten_body_is_made_once_until_the_stored_one_changes() -> None:
    response = stored()
    base = "http://here/api/v3"
    first = body_for(response, github=GITHUB, base=base)
    assert body_for(response, github=GITHUB, base=base) is first
    assert b"http://there/" in body_for(response, github=GITHUB, base="http://there/api/v3")
    response.body = b'["https://api.github.com/new"]'
    assert body_for(response, github=GITHUB, base=base) == b'["http://here/api/v3/new"]'


@pytest.mark.parametrize("host", ['http://x","evil":"', "http://x\\", "javascript:alert(1)"])
def test_a_host_that_is_none_is_not_put_into_a_body(host: str) -> None:
    assert body_for(stored(), github=GITHUB, base=host) == BODY


def test_links_keep_their_pages_and_lose_their_host() -> None:
    next_page, last = (
        '<https://api.github.com/repositories/7/issues?page=2>; rel="next"',
        '<https://x/x?page=9>; rel="last"',
    )
    assert links("http://here/api/v3/repos/a/b/issues", f"{next_page}, {last}") == (
        b'<http://here/api/v3/repos/a/b/issues?page=2>; rel="next", '
        b'<http://here/api/v3/repos/a/b/issues?page=9>; rel="last"'
    )
