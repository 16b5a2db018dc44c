"""What a webhook delivery is about, and how new that is.

GitHub promises no order, and sends a delivery again only when asked, maybe days later. So each delivery has a version
that compares with the others about the same subject: what is older than what is known changes nothing.
"""

from typing import Any

import msgspec

# What GitHub may send to a repository's webhook, as far as anything here depends on it; others are kept as unknown.
EVENTS = frozenset((
    "branch_protection_rule", "check_run", "check_suite", "commit_comment", "create", "delete", "deployment",
    "deployment_protection_rule", "deployment_review", "deployment_status", "discussion", "discussion_comment", "fork",
    "gollum", "issue_comment", "issues", "label", "member", "merge_group", "meta", "milestone", "page_build", "ping",
    "public", "pull_request", "pull_request_review", "pull_request_review_comment", "pull_request_review_thread",
    "push", "registry_package", "release", "repository", "star", "status", "watch", "workflow_dispatch",
    "workflow_job", "workflow_run",
))  # fmt: skip
OTHER = "other"  # what metrics call every event that is not in the list

Body = dict[str, Any]
Version = tuple[int, int, str, int]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """`repo` is owner/name as GitHub spells it, None when the payload names none.

    `is_latest`: nothing later of this repository was seen, so what it says of the repository itself still holds.
    """

    event: str
    payload: Body
    action: str | None = None
    repo: str | None = None
    is_latest: bool = True

    def about(self, name: str) -> Body:
        """The object of that name in the payload; empty when there is none."""
        value = self.payload.get(name)
        return value if isinstance(value, dict) else {}


def label_of(event: str) -> str:
    return event if event in EVENTS else OTHER


def text(body: Body, name: str) -> str:
    """A text of GitHub's; empty when it is missing or something else."""
    value = body.get(name)
    return value if isinstance(value, str) else ""


def count(body: Body, name: str) -> int:
    """A number of GitHub's; 0 when it is missing or something else."""
    value = body.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


_STATUS = {"in_progress": 1, "completed": 2}


def run_version(run: Body) -> Version:
    """Of a workflow run: the attempt first; what has ended stays so; then by time."""
    status = _STATUS.get(text(run, "status"), 0)
    return count(run, "run_attempt"), int(status == 2), text(run, "updated_at"), status


def job_version(job: Body) -> Version:
    """Of a job, which has no time of its last change: by how far it has come."""
    steps = job.get("steps")
    done = sum(text(step, "status") == "completed" for step in steps) if isinstance(steps, list) else 0
    return count(job, "run_attempt"), _STATUS.get(text(job, "status"), 0), "", done


def thread_version(thread: Body, action: str | None = None) -> Version:
    """Of an issue or a pull request. Times are whole seconds: within one, opened comes first, then what is closed."""
    rank = {"opened": 0, "reopened": 3, "deleted": 4, "transferred": 4}.get(
        action or "", 2 if thread.get("state") == "closed" else 1
    )
    return 0, 0, text(thread, "updated_at"), rank


def dated_version(body: Body, action: str | None = None) -> Version:
    """Of a release, a deployment or its status: by the latest time in it; a deletion is final."""
    latest = max(text(body, name) for name in ("updated_at", "published_at", "created_at"))
    return int(action == "deleted"), 0, latest, 0


def subject_of(delivery: Delivery) -> tuple[str, Version] | None:
    """What it is about, unique within the repository, with its version; None when deliveries need not be ordered."""
    event, action = delivery.event, delivery.action
    if event == "workflow_run":
        run = delivery.about("workflow_run")
        return f"run/{count(run, 'id')}", run_version(run)
    if event == "workflow_job":
        job = delivery.about("workflow_job")
        return f"job/{count(job, 'id')}", job_version(job)
    if event == "pull_request":
        pull = delivery.about("pull_request")
        return f"pull/{count(pull, 'number')}", thread_version(pull, action)
    if event in ("issues", "issue_comment"):
        issue = delivery.about("issue")
        return f"issue/{count(issue, 'number')}", thread_version(issue, action if event == "issues" else None)
    if event in ("release", "deployment"):
        one = delivery.about(event)
        return f"{event}/{count(one, 'id')}", dated_version(one, action)
    return None


def moment(delivery: Delivery) -> str:
    """When what it tells happened (RFC 3339); empty when it does not say."""
    subject = subject_of(delivery)
    return (subject[1][2] if subject else "") or text(delivery.about("repository"), "pushed_at")


def in_words(delivery: Delivery) -> str:
    """The delivery in a few words: `pull_request closed #12`."""
    words = [delivery.event, delivery.action or ""]
    number = count(delivery.about("pull_request"), "number") or count(delivery.about("issue"), "number")
    words.append(f"#{number}" if number else text(delivery.payload, "ref").removeprefix("refs/heads/")[:100])
    return " ".join(word for word in words if word)
