"""What lies between two revisions."""

import pytest

from chimney.core.diff import authors, commit_of, contains, is_revision, is_truncated, pull_request_of, pull_requests
from chimney.wire.github import User
from chimney.wire.github_compare import ComparedCommit, ComparedDetail, ComparedFile, Comparison, Signature


@pytest.mark.parametrize(
    ("message", "number", "title"),
    [
        ("Faster start (#7)", 7, "Faster start"),
        ("Faster start (#7)\n\n* all of it", 7, "Faster start"),
        ("Merge pull request #12 from ada/topic\n\nHealth check fails", 12, "Health check fails"),
        ("Merge pull request #12 from ada/topic", 12, None),
        ("Fix (#7) again", None, None),
        ("Merge branch 'main'", None, None),
        ("(#7)", None, None),
        ("", None, None),
    ],
)
def test_a_merge_says_which_pull_request_it_was(message: str, number: int | None, title: str | None) -> None:
    found = pull_request_of(message, "acme/rocket")
    assert (found.number if found else None, found.title if found else None) == (number, title)
    if found:
        assert found.url == f"https://github.com/acme/rocket/pull/{number}"


def commit(message: str, author: str | None = None, name: str = "Ada L") -> ComparedCommit:
    detail = ComparedDetail(message=message, author=Signature(name=name))
    return ComparedCommit(sha="a" * 40, commit=detail, author=User(login=author) if author else None)


def test_pull_requests_and_authors_are_told_once() -> None:
    commits = [commit_of(one, "acme/rocket") for one in (
        commit("Two (#2)", "grace"), commit("One (#1)", "ada"), commit("Two again (#2)", "grace"), commit("Direct"),
    )]  # fmt: skip
    assert [one.number for one in pull_requests(commits)] == [2, 1]
    assert authors(commits) == ["ada", "Ada L", "grace"]


@pytest.mark.parametrize(
    ("text", "good"),
    [("a" * 40, True), ("abc1234", True), ("v1.2.3", True), ("a..b", False), ("", False), ("-x", False), ("a/b", False),
     ("a b", False), ("x" * 101, False), ("é", False)],
)  # fmt: skip
def test_what_may_be_compared(text: str, good: bool) -> None:
    assert is_revision(text) is good


@pytest.mark.parametrize(
    ("status", "inside"), [("ahead", True), ("identical", True), ("behind", False), ("diverged", False)]
)
def test_a_revision_contains_what_it_is_ahead_of(status: str, inside: bool) -> None:
    one = Comparison(status=status, ahead_by=1, behind_by=0, total_commits=1, commits=[commit("x")])
    assert contains(one) is inside
    assert not is_truncated(one)


def test_what_github_does_not_name_is_said_to_be_missing() -> None:
    files = [ComparedFile(filename=str(number)) for number in range(300)]
    assert is_truncated(Comparison(status="ahead", ahead_by=2, behind_by=0, total_commits=2, commits=[commit("x")]))
    assert is_truncated(Comparison(status="ahead", ahead_by=0, behind_by=0, total_commits=0, commits=[], files=files))
