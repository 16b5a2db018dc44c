"""Real clients of GitHub, pointed at the origin: nothing in them knows that it is there."""

import subprocess
import urllib.parse
from pathlib import Path

import pytest
from tests.e2e.processes import Stack, fetch

import github

UI = Path(__file__).parents[2] / "ui"
SCRIPT = Path(__file__).parent / "octokit.mjs"


@pytest.fixture(scope="module")
def many(stack: Stack) -> Stack:
    fetch(f"{stack.standin.url}/_standin/do", body={"do": "open_issue", "count": 250})
    return stack


def by_pygithub(base_url: str) -> list[int]:
    auth = github.Auth.Token("tests")
    with github.Github(base_url=base_url, auth=auth, per_page=100, retry=None) as client:
        return [issue.number for issue in client.get_repo("acme/rocket").get_issues(state="all")]


def by_octokit(base_url: str) -> list[int]:
    ran = subprocess.run(
        ["node", str(SCRIPT), base_url, "acme", "rocket"],
        cwd=UI,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [int(line) for line in ran.stdout.split()]


@pytest.mark.parametrize("client", [by_pygithub, by_octokit])
def test_a_client_lists_the_same_issues_through_the_origin_as_from_github(many: Stack, client: object) -> None:
    assert callable(client)
    direct = client(many.standin.url)
    assert len(direct) >= 250
    assert client(f"{many.origin.url}/api/v3") == direct


def test_the_pages_that_a_client_follows_stay_with_the_origin(many: Stack) -> None:
    before = fetch(f"{many.standin.url}/_standin/stats")["requests"]
    by_pygithub(f"{many.origin.url}/api/v3")
    by_octokit(f"{many.origin.url}/api/v3")
    assert fetch(f"{many.standin.url}/_standin/stats")["requests"] == before
    assert urllib.parse.urlsplit(many.origin.url).port != urllib.parse.urlsplit(many.standin.url).port
