"""The one shape of an error answer."""

from typing import Any

import msgspec
import pytest

from chimney.web.problem import ProblemError, answer_problem, method_not_allowed, not_found
from chimney.wire.problem import Fault, Problem


def told(error: ProblemError) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(error.body("req-1"))
    return body


def test_a_problem_has_the_fields_of_rfc_9457_and_the_request_id() -> None:
    assert told(ProblemError(503, "storage-full", "No room.")) == {
        "type": "docs/errors.md#storage-full",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "No room.",
        "instance": "req-1",
    }


def test_faults_are_listed_with_their_paths() -> None:
    error = ProblemError(400, "malformed", "two", errors=[Fault(path="$.a", detail="x"), Fault(path="$.b", detail="y")])
    assert told(error)["errors"] == [{"path": "$.a", "detail": "x"}, {"path": "$.b", "detail": "y"}]


def test_a_wrong_method_names_the_right_ones() -> None:
    error = method_not_allowed("PUT", ["GET", "HEAD"])
    assert (error.status, dict(error.headers)) == (405, {b"allow": b"GET, HEAD"})


@pytest.mark.parametrize("path", ["/x", "/<script>", '/"quoted"', "/\x1b[2J", "/ü"])
def test_a_hostile_path_leaves_the_problem_json(path: str) -> None:
    assert msgspec.json.decode(not_found(path).body("r"), type=Problem).detail == f"There is nothing at {path}."


async def test_a_problem_is_answered_as_problem_json_that_nobody_keeps() -> None:
    sent: list[Any] = []

    async def send(event: Any) -> None:
        sent.append(event)

    await answer_problem(send, ProblemError(429, "x", "slow down", headers=[(b"retry-after", b"30")]), "r")
    headers = dict(sent[0]["headers"])
    assert sent[0]["status"] == 429
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"retry-after"] == b"30"
    assert int(headers[b"content-length"]) == len(sent[1]["body"])
