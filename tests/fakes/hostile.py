"""What attackers send: paths below a repository that must never reach GitHub (faults, part C), and text (part F)."""

from urllib.parse import urlsplit

import httpx2

SENSITIVE = [
    "hooks", "hooks/1", "hooks/1/deliveries", "keys", "keys/1", "collaborators", "collaborators/octocat/permission",
    "actions/secrets", "actions/secrets/KEY", "actions/variables", "actions/permissions", "actions/runners",
    "actions/organization-secrets", "environments", "environments/production/secrets", "security-advisories",
    "dependabot/alerts", "dependabot/secrets", "secret-scanning/alerts", "code-scanning/alerts", "traffic/views",
    "traffic/clones", "invitations", "installation", "actions/jobs/1/logs", "actions/runs/1/logs", "contents/README.md",
    "tarball/main", "zipball/main", "autolinks", "rulesets", "teams", "subscription", "events", "codespaces",
    "branches/main/protection", "branches/main/protection/restrictions/users", "git/refs", "forks", "stargazers",
    "actions/artifacts/1/zip", "actions/caches", "deployments/1/statuses/1/x", "pages", "vulnerability-alerts",
]  # fmt: skip
HOSTILE = [
    b"..%2f..%2fuser", b"%2e%2e/user", b"%2e%2e%2fuser", b"%252e%252e/user", b"..\\user", b"..;/user",
    b"pulls/../hooks", b"pulls/./1", b"./pulls", b"../acme/secret", b"pulls//1", b"/pulls", b"pulls/",
    b"//evil.com/repos/o/r",
    b"http://evil.com/x", b"https:evil.com", b"pulls%3fstate=open", b"pulls%23", b"pulls#x", b"pulls\t", b"pulls%09",
    b"pulls%00", b"pulls\x00", b"pulls\r\nHost: evil.com", b"pulls%0d%0aX: y", "pulls‥".encode(), b"pulls%e2%80%a5",
    b"PULLS", b"Pulls/1", b"pulls.", b"pulls/1.", b"pulls/1/", b"pulls/0", b"pulls/01", b"pulls/-1", b"pulls/1e3",
    b"issues/" + b"9" * 8192, b"commits/" + b"a" * 8192, b"commits/-x", b"commits/.git", b"commits/a..b/../c",
    b"commits/a/", b"commits/a//b", b"compare/a..b", b"compare/a...", b"compare/../..", b"actions/workflows/../runs",
    b"actions/workflows/./runs", b"actions/workflows/.x/runs", b"stats/../hooks", b"user",
    b"pulls@evil.com", b"pulls;x=1",
    b"branches/a%2f..%2fb", b"branches/a%252fb", b"branches/%2fa", b"commits/a%2f%2fb", b"branches/a%2f", b"pulls%2f1",
    b"branches/a%2fb/c", b"commits/main%2fcheck-runs/x", b"branches/a%2f%00",
    b"%70ulls", b"releases/tags/..", b"releases/tags/a/../../x", b"pulls/1 ", b" pulls", b"\xff\xfe", b"pulls\xc0\xae",
]  # fmt: skip
TEXTS = [
    "\x1b[2J\x9b31m",
    "a\r\nid: 999\r\nevent: deploy",
    "\x00",
    "\ud800",
    "\u202e\u200b",
    "x" * 1_000_000,
    '"}{"',
    "\u2028",
    "<img src=x onerror=alert(1)>",
]
# What paths below a repository are made of, good and bad, to be joined at random.
PIECES = [
     b"pulls", b"issues", b"commits", b"branches", b"compare", b"releases", b"tags", b"actions", b"runs", b"jobs",
     b"workflows", b"ci.yml", b"main", b"1", b"7", b"latest", b"a...b", b"deployments", b"statuses", b"hooks", b"keys",
     b"secrets", b"protection", b"..", b".", b"", b"%2e%2e", b"%2f", b"%252e", b"\\", b";", b"evil.com", b"user",
     b"repos", b"acme", b"rocket", b"allowed", b"allowed-evil", b"orgs", b"contents", b"\x00", b"%00", b"#", b"%3f",
     b"stats", b"languages", b"check-runs", b"abc1234", b"status", b"@", b"http:"]  # fmt: skip


def within_the_grammar(path: str) -> bool:
    """What must hold of every path that leaves: known prefix, plain characters, and no client mends or redirects it."""
    url = httpx2.URL("https://api.github.com" + path)
    return (
        path.startswith(("/repos/acme/rocket", "/repos/Acme/Allowed", "/orgs/acme/repos", "/rate_limit"))
        and url.raw_path.decode() == path
        and url.host == urlsplit("https://api.github.com" + path).hostname == "api.github.com"
        and all(segment not in ("", ".", "..") for segment in path[1:].split("/"))
        and path.isascii()
        and not set("?#\\;@\x00") & set(path)
        and not _NEVER & set(resources(path))
    )


_NEVER = {"hooks", "keys", "secrets", "protection", "user"}


def resources(path: str) -> list[str]:
    """The segments that name a resource of the repository; a branch or a tag may be called anything."""
    below = path.split("/")[4:]
    if below[:1] == ["branches"]:
        return below[2:]
    return below[:2] if below[:1] == ["actions"] else below[:1]
