"""Faults of GitHub, of the way there, and of its webhooks."""

import hashlib
import hmac
import json
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from tests.drills.drill import JUMPED, Drill
from tests.drills.stack import DrillStack
from tests.e2e.processes import status_of

SILENT_SECONDS = 660
HOUR = 3700


def answering(**fault: Any) -> Callable[[DrillStack], AbstractContextManager[None]]:
    @contextmanager
    def answers(stack: DrillStack) -> Iterator[None]:
        stack.break_github(**fault)
        yield
        stack.mend_github()

    return answers


@contextmanager
def unreachable(stack: DrillStack) -> Iterator[None]:
    """For eleven minutes, which pass at once."""
    stack.github.process.send_signal(signal.SIGSTOP)
    stack.pass_time(SILENT_SECONDS)
    yield
    stack.github.process.send_signal(signal.SIGCONT)


@contextmanager
def signed_otherwise(stack: DrillStack) -> Iterator[None]:
    body = json.dumps({"action": "opened", "repository": {"full_name": "acme/rocket"}})
    signature = hmac.new(b"another secret", body.encode(), hashlib.sha256).hexdigest()
    headers = {
        "user-agent": "GitHub-Hookshot/044aadd",
        "x-github-delivery": str(uuid.uuid4()),
        "x-github-event": "issues",
        "x-github-hook-id": "1",
        "x-hub-signature-256": f"sha256={signature}",
    }
    url = f"{stack.caddy.url}/api/webhooks/github"
    assert status_of(url, body=json.loads(body), headers=headers) == 401
    yield
    stack.do("open_issue")


@contextmanager
def silent(stack: DrillStack) -> Iterator[None]:
    """What changes at GitHub is told to a place where nobody takes it."""
    stack.hook.says("404 Not Found")
    stack.pass_time(60)
    stack.do("push")
    stack.pass_time(60)
    yield
    stack.hook.well()
    stack.do("push")


DRILLS = [
    Drill(name="GitHub answers 500", finding="github_erroring", fault=answering(status=500), evidence="500"),
    Drill(name="GitHub hanging", finding="github_erroring", fault=answering(hang=True), evidence="did not answer"),
    Drill(
        name="GitHub answers 401", finding="github_unauthorized", fault=answering(unauthorized=True), critical=True
    ),
    Drill(
        name="GitHub's secondary limit", finding="github_rate_limited", evidence="secondary",
        fault=answering(rate_limited="secondary", retry_after_seconds=20),
    ),
    Drill(
        name="GitHub's primary limit", finding="github_rate_limited", evidence="primary",
        fault=answering(rate_limited=True), passes=HOUR, beside=frozenset(("github_quota_low",)),
    ),
    Drill(
        name="GitHub unreachable for 10 min", finding="github_unreachable", fault=unreachable, critical=True,
        beside=frozenset(("github_erroring",)),
    ),
    Drill(name="webhook secret wrong", finding="webhook_rejected", fault=signed_otherwise),
    Drill(name="webhooks silent", finding="webhook_silent", fault=silent, beside=JUMPED),
]  # fmt: skip
