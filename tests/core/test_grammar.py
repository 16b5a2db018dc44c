"""The positive grammar of what may be asked of GitHub (faults, part C)."""

from urllib.parse import parse_qsl

import httpx2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.fakes.hostile import HOSTILE, PIECES, SENSITIVE, within_the_grammar

from chimney.core.grammar import (
    BadQueryError,
    Kind,
    NotAllowedError,
    below_repository,
    full_path,
    normalise_query,
    watched,
)

REPO = "acme/rocket"
REPOS = {"acme/rocket": "acme/rocket", "acme/allowed": "Acme/Allowed"}


@pytest.mark.parametrize(
    ("below", "path", "template"),
    [
        ("", "/repos/acme/rocket", "/repos/{repo}"),
        ("pulls", "/repos/acme/rocket/pulls", "/repos/{repo}/pulls"),
        ("pulls/7", "/repos/acme/rocket/pulls/7", "/repos/{repo}/pulls/{number}"),
        ("commits/main", "/repos/acme/rocket/commits/main", "/repos/{repo}/commits/{ref}"),
        ("commits/abc1234/status", "/repos/acme/rocket/commits/abc1234/status", "/repos/{repo}/commits/{sha}/status"),
        ("compare/v1.0...main", "/repos/acme/rocket/compare/v1.0...main", "/repos/{repo}/compare/{range}"),
        ("branches/feature/x", "/repos/acme/rocket/branches/feature%2Fx", "/repos/{repo}/branches/{ref}"),
        ("branches/feature%2Fx", "/repos/acme/rocket/branches/feature%2Fx", "/repos/{repo}/branches/{ref}"),
        ("commits/a1b2%2fstatus", "/repos/acme/rocket/commits/a1b2%2Fstatus", "/repos/{repo}/commits/{ref}"),
        ("releases/tags/v1.0", "/repos/acme/rocket/releases/tags/v1.0", "/repos/{repo}/releases/tags/{ref}"),
        ("releases/latest", "/repos/acme/rocket/releases/latest", "/repos/{repo}/releases/latest"),
        (
            "actions/workflows/ci.yml/runs",
            "/repos/acme/rocket/actions/workflows/ci.yml/runs",
            "/repos/{repo}/actions/workflows/{file}/runs",
        ),
    ],
)
def test_a_path_of_the_grammar_is_rebuilt_below_its_repository(below: str, path: str, template: str) -> None:
    endpoint = below_repository(below.encode(), REPO)
    assert (endpoint.path, endpoint.template, endpoint.repo) == (path, template, REPO)


@pytest.mark.parametrize("raw", HOSTILE, ids=lambda raw: ascii(raw[:24]))
def test_a_hostile_path_is_not_in_the_grammar(raw: bytes) -> None:
    with pytest.raises(NotAllowedError):
        below_repository(raw, REPO, allow_contents=True)
    with pytest.raises(NotAllowedError):
        full_path(b"repos/acme/rocket/" + raw, REPOS, allow_contents=True)


@pytest.mark.parametrize("below", SENSITIVE)
def test_a_sensitive_part_of_a_watched_repository_is_never_asked_for(below: str) -> None:
    """A branch may be called main/protection: then its slash is escaped, so GitHub takes it for a name, not a path."""
    try:
        path = below_repository(below.encode(), REPO).path
    except NotAllowedError:
        return
    assert below.startswith("branches/")
    assert path == "/repos/acme/rocket/branches/" + below.removeprefix("branches/").replace("/", "%2F")


def test_file_contents_are_in_the_grammar_only_when_that_is_allowed() -> None:
    with pytest.raises(NotAllowedError):
        below_repository(b"contents/docs/a.md", REPO)
    assert below_repository(b"contents/docs/a.md", REPO, allow_contents=True).kind is Kind.CONTENTS


@pytest.mark.parametrize(
    "raw",
    [
        b"repos/acme/allowed-evil", b"repos/acme/allowedevil/pulls", b"repos/acme", b"repos/acme/",
        b"repos/acme/rocket/", b"repos/evil/rocket", b"repos//rocket", b"repos/acme/rocket2", b"repos/acme%2frocket",
        b"repos/acme/rocket/../other",
        b"repos/acme/..", b"repos", b"", b"user", b"users/acme", b"orgs/evil/repos", b"orgs/acme/members", b"orgs/acme",
        b"orgs/acme/repos/", b"rate_limit/", b"graphql", b"search/code", b"//evil.com/repos/acme/rocket",
    ],
)  # fmt: skip
def test_only_watched_repositories_are_reached_by_full_paths(raw: bytes) -> None:
    with pytest.raises(NotAllowedError):
        full_path(raw, REPOS)


def test_a_repository_has_one_spelling_however_it_is_asked_for() -> None:
    assert watched(b"ACME", b"aLLowed", REPOS) == "Acme/Allowed"
    assert full_path(b"repos/ACME/ROCKET/pulls", REPOS).path == below_repository(b"pulls", REPO).path


def test_the_listing_of_a_watched_owner_may_be_asked_for() -> None:
    assert full_path(b"orgs/acme/repos", REPOS).kind is Kind.REPOSITORIES


_PIECES = st.sampled_from(PIECES)
_PATHS = st.one_of(
    st.lists(_PIECES | st.binary(max_size=6), max_size=7).map(b"/".join),
    st.tuples(_PIECES, st.binary(max_size=12), _PIECES).map(b"".join),
    st.binary(max_size=40),
)


@settings(max_examples=1000)
@given(_PATHS)
@example(b"branches/main/protection")
@example(b"commits/a/../../hooks")
def test_whatever_is_asked_below_a_repository_stays_within_the_grammar(raw: bytes) -> None:
    try:
        endpoint = below_repository(raw, REPO, allow_contents=True)
    except NotAllowedError:
        return
    assert within_the_grammar(endpoint.path)


@settings(max_examples=1000)
@given(st.tuples(st.sampled_from([b"", b"repos/", b"repos/acme/rocket/", b"repos/acme/allowed/"]), _PATHS))
def test_whatever_is_asked_by_a_full_path_stays_within_the_grammar(raw: tuple[bytes, bytes]) -> None:
    try:
        endpoint = full_path(b"".join(raw), REPOS)
    except NotAllowedError:
        return
    assert within_the_grammar(endpoint.path)


@pytest.mark.parametrize(
    ("kind", "raw", "normal"),
    [
        (Kind.PULLS, b"", ""),
        (Kind.PULLS, b"state=open&per_page=50", "per_page=50&state=open"),
        (Kind.PULLS, b"page=007", "page=7"),
        (Kind.ISSUES, b"labels=type:bug,p%31", "labels=type%3Abug%2Cp1"),
        (Kind.ISSUES, b"labels=a+b", "labels=a%20b"),
        (Kind.PULLS, b"state=open%26page%3D9%23", "state=open%26page%3D9%23"),
        (Kind.RUNS, "branch=größe".encode("ascii", "xmlcharrefreplace"), "*"),
        (Kind.RUNS, b"branch=gr%C3%B6%C3%9Fe", "branch=gr%C3%B6%C3%9Fe"),
    ],
)
def test_a_query_is_encoded_anew_in_one_order(kind: Kind, raw: bytes, normal: str) -> None:
    if normal == "*":
        with pytest.raises(BadQueryError):
            normalise_query(kind, raw)
    else:
        assert normalise_query(kind, raw) == normal


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"access_token=x", "access_token"),
        (b"state=open&state=closed", "*"),
        (b"per_page=100000", "per_page"),
        (b"per_page=0", "per_page"),
        (b"page=-1", "page"),
        (b"page=1.5", "page"),
        (b"page=%C2%B2", "page"),
        (b"page=" + b"9" * 250, "page"),
        (b"state=", "state"),
        (b"state", "*"),
        (b"state=%0d%0aHost:%20evil.com", "state"),
        (b"state=%00", "state"),
        (b"state=%ff", "*"),
        (b"state=\xc3\xa4", "*"),
        (b"state=" + b"a" * 257, "state"),
        (b"state=" + b"a" * 2000, "*"),
        (b"&", "*"),
        (b"visibility=all", "visibility"),
    ],
)
def test_a_query_that_is_not_taken_is_refused_with_its_parameter(raw: bytes, name: str) -> None:
    with pytest.raises(BadQueryError) as refused:
        normalise_query(Kind.PULLS, raw)
    assert refused.value.name == name
    assert refused.value.detail


_QUERIES = st.lists(
    st.tuples(
        st.sampled_from([b"state", b"page", b"per_page", b"labels", b"branch", b"evil", b"workflow", b""]),
        st.sampled_from([b"=", b"", b"==", b"%3d"]),
        st.one_of(
            st.binary(max_size=8), st.sampled_from([b"open", b"1", b"%26", b"%23x", b"%0a", b"a+b", b"%ff", b"..%2f"])
        ),
    ).map(b"".join),
    max_size=4,
).map(b"&".join)


@settings(max_examples=1000)
@given(st.sampled_from(list(Kind)), _QUERIES)
def test_a_query_that_leaves_is_stable_and_holds_no_more_than_was_allowed(kind: Kind, raw: bytes) -> None:
    try:
        normal = normalise_query(kind, raw)
    except BadQueryError:
        return
    assert normalise_query(kind, normal.encode()) == normal
    assert not set(normal) & set("#?/\\ \r\n\x00")
    names = [name for name, _ in parse_qsl(normal, keep_blank_values=True)]
    assert names == sorted(set(names))
    assert "evil" not in names
    assert httpx2.URL(f"https://api.github.com/x?{normal}").query.decode() == normal
