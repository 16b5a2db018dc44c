"""The log level at run time: changed, streamed, reverted by itself, and told with who asked."""

import logging
from typing import Any

import httpx2
import pytest
from tests.conftest import Ask, MakeOrigin, until

from chimney.instrumentation import LogPipe
from chimney.origin.app import Origin

log = logging.getLogger("tests.deep.down")
OPERATOR = {"authorization": "Bearer op"}


@pytest.fixture
async def origin(make_origin: MakeOrigin, installed: LogPipe) -> Origin:
    logging.getLogger().setLevel(logging.INFO)
    installed.least_request = logging.INFO
    return await make_origin(github_token=None, read_token=["re"], operate_token=["op"])


@pytest.fixture
def operator(origin: Origin, asking: Ask) -> httpx2.AsyncClient:
    return asking(origin, **OPERATOR)


async def change(operator: httpx2.AsyncClient, **body: Any) -> Any:
    answer = await operator.post("/api/log-level", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def messages(origin: Origin) -> list[str]:
    await until(lambda: not origin._pipe._pending and not origin._pipe._scheduled)
    return [entry.data.decode() for entry in origin.ring._held]


def told(origin: Origin) -> list[dict[str, Any]]:
    return [event.data for event in origin.events.recent(100) if event.kind == "log_level"]


async def test_a_change_shows_what_was_hidden_and_reverts_by_itself(
    origin: Origin, operator: httpx2.AsyncClient
) -> None:
    log.debug("hidden before")
    state = await change(operator, level="debug", for_seconds=0.2)
    assert (state["level"], state["configured"]) == ("debug", "info")
    assert state["reverts_at"]
    log.debug("shown meanwhile")
    await until(lambda: logging.getLogger().level == logging.INFO)
    log.debug("hidden after")
    text = "\n".join(await messages(origin))
    assert "shown meanwhile" in text
    assert "hidden" not in text
    await until(lambda: len(told(origin)) == 2)
    back, change_ = told(origin)
    assert (change_["after"], change_["before"], change_["reverted"]) == ("debug", "info", False)
    assert (back["after"], back["before"], back["reverted"]) == ("info", "debug", True)
    assert back["by"] == change_["by"]
    assert (await operator.get("/api/log-level")).json() == {
        "level": "info",
        "configured": "info",
        "reverts_at": None,
        "loggers": [],
    }


async def test_records_of_requests_obey_the_level_too(origin: Origin, operator: httpx2.AsyncClient) -> None:
    table = {"user-agent": "chimney-table/1"}
    await operator.get("/livez", headers={**table, "x-request-id": "polled-before"})
    await messages(origin)
    await change(operator, level="debug")
    await operator.get("/livez", headers={**table, "x-request-id": "polled-meanwhile"})
    await messages(origin)
    await change(operator, level="warning", logger="chimney.request")
    await operator.get("/livez", headers={"x-request-id": "visited-quietly"})
    text = "\n".join(await messages(origin))
    assert "polled-meanwhile" in text
    assert "polled-before" not in text
    assert "visited-quietly" not in text


async def test_one_logger_is_changed_and_the_others_are_left(origin: Origin, operator: httpx2.AsyncClient) -> None:
    state = await change(operator, level="DEBUG", logger="tests.deep", for_seconds=60)
    [one] = state["loggers"]
    assert (state["level"], one["logger"], one["level"]) == ("info", "tests.deep", "debug")
    assert log.isEnabledFor(logging.DEBUG)
    assert not logging.getLogger("tests.other").isEnabledFor(logging.DEBUG)
    await operator.post("/api/log-level", json={"level": "error", "logger": "tests.deep"})
    assert not log.isEnabledFor(logging.WARNING)
    assert (await operator.get("/api/log-level")).json()["loggers"][0]["reverts_at"] is None


async def test_a_temporary_level_reverts_to_what_was_settled(origin: Origin, operator: httpx2.AsyncClient) -> None:
    await change(operator, level="warning")
    await change(operator, level="debug", for_seconds=30)
    await change(operator, level="error", for_seconds=0.05)
    await until(lambda: logging.getLogger().level == logging.WARNING)
    assert (await operator.get("/api/log-level")).json()["level"] == "warning"


async def test_who_asked_is_told_without_the_token(origin: Origin, operator: httpx2.AsyncClient) -> None:
    await operator.post("/api/log-level", json={"level": "info"}, headers={"x-request-id": "req-9"})
    await until(lambda: told(origin))
    [event] = told(origin)
    assert event["by"]["request_id"] == "req-9"
    assert event["by"]["client"] == "127.0.0.1"
    assert len(event["by"]["token"]) == 8
    assert "op" not in event["by"]["token"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"level": "loud"}, "$.level"),
        ({"level": "x" * 5000}, "$.level"),
        ({"level": "debug", "for_seconds": 0}, "$.for_seconds"),
        ({"level": "debug", "for_seconds": -1}, "$.for_seconds"),
        ({"level": "debug", "for_seconds": 1e300}, "$.for_seconds"),
        ({"level": "debug", "logger": "a b\n"}, "$.logger"),
        ({"level": "debug", "logger": "x" * 300}, "$.logger"),
        ({"level": "debug", "for": 5}, "$"),
        ({"level": 7}, "$.level"),
        ({}, "$"),
    ],
)
async def test_what_cannot_be_meant_is_a_400_that_names_it_and_changes_nothing(
    origin: Origin, operator: httpx2.AsyncClient, body: dict[str, Any], path: str
) -> None:
    answer = await operator.post("/api/log-level", json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"].startswith(path)
    assert logging.getLogger().level == logging.INFO
    assert not told(origin)


async def test_reading_needs_read_and_changing_needs_operate(origin: Origin, asking: Ask) -> None:
    reader = asking(origin, authorization="Bearer re")
    assert (await reader.get("/api/log-level")).status_code == 200
    assert (await reader.post("/api/log-level", json={"level": "debug"})).status_code == 403
    assert (await asking(origin).get("/api/log-level")).status_code == 401


async def test_no_more_loggers_than_can_be_looked_over(origin: Origin, operator: httpx2.AsyncClient) -> None:
    for number in range(100):
        await change(operator, level="info", logger=f"tests.many.{number}")
    answer = await operator.post("/api/log-level", json={"level": "info", "logger": "tests.one.more"})
    assert answer.status_code == 400


async def test_the_end_of_the_origin_leaves_the_levels_as_they_were(
    origin: Origin, operator: httpx2.AsyncClient, make_origin: MakeOrigin
) -> None:
    await change(operator, level="error")
    await change(operator, level="debug", logger="tests.deep", for_seconds=60)
    await make_origin.end(origin)
    assert logging.getLogger().level == logging.INFO
    assert logging.getLogger("tests.deep").level == logging.NOTSET
