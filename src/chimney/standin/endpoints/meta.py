"""What is not about one repository: addresses of GitHub's own, versions, the root."""

from chimney.standin.answers import VERSIONS, Answer, Ask, found

# Documentation ranges (RFC 5737, RFC 3849): nobody should let the stand-in's webhooks through a firewall by accident
HOOKS = ["192.0.2.0/24", "2001:db8:a0::/48"]


def meta(_: Ask) -> Answer:
    families = ("hooks", "web", "api", "git", "packages", "pages", "importer", "actions", "actions_macos", "dependabot")
    return found({
        "verifiable_password_authentication": False,
        **dict.fromkeys(families, HOOKS),
        "domains": {"website": ["*.github.com"], "actions": ["*.actions.githubusercontent.com"]},
    })  # fmt: skip


def versions(_: Ask) -> Answer:
    return found(list(VERSIONS))


def root(ask: Ask) -> Answer:
    base = ask.view.base
    return found({
        "current_user_url": f"{base}/user",
        "rate_limit_url": f"{base}/rate_limit",
        "repository_url": f"{base}/repos/{{owner}}/{{repo}}",
        "organization_repositories_url": f"{base}/orgs/{{org}}/repos{{?type,page,per_page,sort}}",
        "user_repositories_url": f"{base}/users/{{user}}/repos{{?type,page,per_page,sort}}",
    })  # fmt: skip
