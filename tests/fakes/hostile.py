"""What attackers send: paths below a repository that must never reach GitHub (faults, part C), and text (part F)."""

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
