"""What an operator types is understood as the keys that it means, or refused."""

import pytest

from chimney.core.prefix import BadPrefixError, prefix_of

REPOS = {"acme/rocket": "acme/rocket", "acme/other": "Acme/Other"}


@pytest.mark.parametrize(
    ("said", "prefix"),
    [
        ("pulls", "/repos/acme/rocket/pulls"),
        ("/pulls", "/repos/acme/rocket/pulls"),
        ("pulls/", "/repos/acme/rocket/pulls"),
        ("/api/github/pulls", "/repos/acme/rocket/pulls"),
        ("/api/github/", "/repos/acme/rocket"),
        ("/api/github", "/repos/acme/rocket"),
        ("actions/runs", "/repos/acme/rocket/actions/runs"),
        ("/repos/acme/rocket/pulls", "/repos/acme/rocket/pulls"),
        ("repos/acme/rocket", "/repos/acme/rocket"),
        ("/api/v3/repos/acme/rocket/pulls/7", "/repos/acme/rocket/pulls/7"),
        ("/repos/ACME/ROCKET/pulls", "/repos/acme/rocket/pulls"),
        ("/api/github/acme/OTHER/issues", "/repos/Acme/Other/issues"),
        ("acme/other", "/repos/Acme/Other"),
        ("/repos/some/body/pulls", "/repos/some/body/pulls"),
        ("/repos/acme", "/repos/acme"),
        ("/repos", "/repos"),
        ("/orgs/acme/repos", "/orgs/acme/repos"),
        ("rate_limit", "/rate_limit"),
        ("pulls?state=open&per_page=5", "/repos/acme/rocket/pulls?state=open&per_page=5"),
        ("commits/feature/x", "/repos/acme/rocket/commits/feature%2Fx"),
        ("commits/feature%2Fx", "/repos/acme/rocket/commits/feature%2Fx"),
        ("pullsevil", "/repos/acme/rocket/pullsevil"),
    ],
)
def test_a_path_is_taken_as_it_comes_to_mind(said: str, prefix: str) -> None:
    assert prefix_of(said, repo="acme/rocket", repos=REPOS) == prefix


@pytest.mark.parametrize(
    "said",
    [
        "", "/", "//", "..", "pulls/../issues", "pulls//7", "//evil.test/repos",
        "https://api.github.com/repos/acme/rocket",
        "pulls\n", "pulls\x00", "pulls *", "*", "päth", "pulls?", "pulls?a b", "pulls?\r",
        "a" * 2000, "a?" + "b" * 2000,
    ],
)  # fmt: skip
def test_what_is_no_path_is_refused(said: str) -> None:
    with pytest.raises(BadPrefixError):
        prefix_of(said, repo="acme/rocket", repos=REPOS)


def test_without_a_main_repository_only_whole_paths_are_understood() -> None:
    with pytest.raises(BadPrefixError, match="CHIMNEY_REPO"):
        prefix_of("pulls", repo=None, repos=REPOS)
    assert prefix_of("/repos/acme/rocket/pulls", repo=None, repos=REPOS) == "/repos/acme/rocket/pulls"
