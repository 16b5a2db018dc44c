"""What a delivery is about, and which of two is newer."""

from typing import Any

import pytest

from chimney.core.delivery import (
    Delivery,
    in_words,
    job_version,
    label_of,
    moment,
    run_version,
    subject_of,
    thread_version,
)

AT, LATER = "2026-11-15T09:00:00Z", "2026-11-15T09:00:01Z"


def run(status: str, at: str = AT, attempt: int = 1) -> dict[str, Any]:
    return {"id": 7, "status": status, "updated_at": at, "run_attempt": attempt}


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (run("queued"), run("in_progress")),
        (run("in_progress", LATER), run("completed", AT)),
        (run("in_progress"), run("waiting", LATER)),
        (run("completed", LATER), run("queued", AT, attempt=2)),
        ({}, run("queued")),
    ],
)
def test_a_run_goes_by_attempt_then_by_whether_it_has_ended_then_by_time(older: Any, newer: Any) -> None:
    assert run_version(older) < run_version(newer)


def test_a_job_goes_by_attempt_status_and_steps() -> None:
    steps = [{"status": "completed"}, {"status": "in_progress"}]
    ordered = [
        {"status": "queued", "run_attempt": 1},
        {"status": "in_progress", "run_attempt": 1},
        {"status": "in_progress", "run_attempt": 1, "steps": steps},
        {"status": "completed", "run_attempt": 1},
        {"status": "queued", "run_attempt": 2},
    ]
    assert sorted(ordered, key=job_version) == ordered


def test_within_a_second_opened_comes_first_and_reopened_last() -> None:
    thread = {"updated_at": AT, "state": "open"}
    closed = {**thread, "state": "closed"}
    versions = [
        thread_version(thread, "opened"),
        thread_version(thread, "labeled"),
        thread_version(closed, "closed"),
        thread_version(thread, "reopened"),
        thread_version({**thread, "updated_at": LATER}, "opened"),
    ]
    assert sorted(versions) == versions


SUBJECTS = [
    ("workflow_run", {"workflow_run": run("queued")}, "run/7", "workflow_run requested"),
    ("workflow_job", {"workflow_job": {"id": 8}}, "job/8", "workflow_job requested"),
    ("pull_request", {"pull_request": {"number": 5}}, "pull/5", "pull_request requested #5"),
    ("issues", {"issue": {"number": 6}}, "issue/6", "issues requested #6"),
    ("issue_comment", {"issue": {"number": 6}}, "issue/6", "issue_comment requested #6"),
    ("release", {"release": {"id": 3}}, "release/3", "release requested"),
    ("deployment", {"deployment": {"id": 4}}, "deployment/4", "deployment requested"),
    ("push", {"ref": "refs/heads/main"}, None, "push requested main"),
    ("unheard_of", {}, None, "unheard_of requested"),
    ("issues", {"issue": "nonsense"}, "issue/0", "issues requested"),
]


@pytest.mark.parametrize(("event", "payload", "subject", "name"), SUBJECTS)
def test_what_a_delivery_is_about_and_what_it_is_called(
    event: str, payload: Any, subject: str | None, name: str
) -> None:
    delivery = Delivery(event=event, action="requested", payload=payload, repo="acme/rocket")
    found = subject_of(delivery)
    assert (found[0] if found else None, in_words(delivery)) == (subject, name)


def test_when_it_happened_is_the_time_of_the_subject_or_of_the_push() -> None:
    assert moment(Delivery(event="issues", payload={"issue": {"number": 1, "updated_at": AT}})) == AT
    assert moment(Delivery(event="push", payload={"repository": {"pushed_at": LATER}})) == LATER
    assert moment(Delivery(event="push", payload={"repository": {"pushed_at": 1_700_000_000}})) == ""


def test_metrics_know_a_closed_list_of_events() -> None:
    assert (label_of("push"), label_of("x" * 60)) == ("push", "other")
