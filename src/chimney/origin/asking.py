"""How GitHub is asked for what is stored, and what a visitor is told when it gives no answer."""

import time

from chimney.core.budget import Need
from chimney.github.client import GitHubClient
from chimney.github.errors import GitHubError, RateLimitedError, UnexpectedError
from chimney.github.reply import Reply
from chimney.store.ports import StoredResponse
from chimney.web.problem import ProblemError


def validator(stored: StoredResponse | None, client: GitHubClient) -> str | None:
    """What GitHub is asked with: its own validator for our token, or the one that can be computed of what is held.

    What a webhook put in doubt is asked for without GitHub's own, which may be behind the webhook.
    """
    if stored is None:
        return None
    is_theirs = stored.identity == client.identity and stored.patched_since is None and not stored.expired
    return stored.etag if is_theirs else _computed(stored, client)


def _computed(stored: StoredResponse, client: GitHubClient) -> str | None:
    return client.tag_of(stored.body) if stored.status == 200 else None


def need(stored: StoredResponse | None) -> Need:
    if stored is None:
        return Need.WANTED
    return Need.URGENT if stored.expired else Need.ROUTINE


def stored_of(reply: Reply, *, identity: str, now: float) -> StoredResponse:
    headers = reply.headers
    return StoredResponse(
        status=reply.status,
        body=reply.body,
        etag=reply.etag,
        identity=identity,
        content_type=headers.get("content-type", "application/json; charset=utf-8"),
        links=headers.get("link"),
        vary=headers.get_list("vary"),
        last_modified=headers.get("last-modified"),
        fetched_at=now,
        validated_at=now,
    )


def as_problem(error: GitHubError) -> ProblemError:
    """What a visitor is told when there is nothing, not even old, to show."""
    if isinstance(error, RateLimitedError):
        wait = max(1, round(error.retry_at - time.time()))
        return ProblemError(
            503, "github-rate-limited", f"{error}; nothing is stored yet.", headers=[(b"retry-after", b"%d" % wait)]
        )
    if isinstance(error, UnexpectedError) and error.status in (400, 403, 409, 422, 451):
        return ProblemError(502, "github-refused", f"{error}; nothing is stored.")
    status = 504 if error.code == "unreachable" else 502
    return ProblemError(status, f"github-{error.code.replace('_', '-')}", f"{error}; nothing is stored yet.")
