"""Tools of assistants as requests to the table's own API."""

from typing import Any

import pytest

from chimney.core.tools import ACTING, READING, TOOLS, Call, ToolFaultError, call_of
from chimney.wire.act import Act


@pytest.mark.parametrize(
    ("name", "arguments", "path"),
    [
        ("findings", {}, "/api/findings"),
        ("deployment", {"id": "d/1", "origin": "hel1"}, "/api/deployments/d%2F1?origin=hel1"),
        ("search_logs", {"grep": "a b&c", "limit": 5}, "/api/logs?limit=5&grep=a+b%26c"),
        ("search_logs", {"level": None}, "/api/logs?limit=20"),
        ("trace", {"id": "4bf9"}, "/api/traces/4bf9"),
    ],
)
def test_a_tool_that_reads_is_a_get(name: str, arguments: dict[str, Any], path: str) -> None:
    assert call_of(TOOLS[name], arguments) == Call(path)


def test_an_act_is_a_post_with_its_arguments_as_body() -> None:
    arguments = {"slot": "green", "reason": "it hurts", "origin": "hel1"}
    assert call_of(TOOLS["act_switch"], arguments) == Call("/api/acts/switch", arguments)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("findings", {"limit": 1}, "findings does not take 'limit'; it takes nothing"),
        ("deployment", {}, "deployment needs 'id'"),
        ("act_switch", {"slot": "green"}, "act_switch needs 'reason'"),
        ("act_rerun", {"reason": "x", "run_id": "seven"}, "Expected `int | null`, got `str`"),
        ("search_logs", {"grep": ["a"]}, "should be a text or a number"),
    ],
)
def test_what_a_tool_does_not_take_is_said(name: str, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ToolFaultError, match=said.replace("|", r"\|").replace(";", ".")):
        call_of(TOOLS[name], arguments)


def test_every_act_is_a_tool_and_says_why_and_whether_it_hurts() -> None:
    assert {one.act for one in ACTING} == set(Act)
    assert all("reason" in one.needs for one in ACTING)
    assert {one.name for one in ACTING if one.hurts} >= {"act_switch", "act_rollback", "act_cancel"}
    assert len(TOOLS) == len(READING) + len(ACTING)


def test_a_schema_names_what_is_needed_and_nothing_else_is_taken() -> None:
    schema = TOOLS["search_logs"].schema()
    assert schema["additionalProperties"] is False
    assert schema["properties"]["level"]["enum"] == ["debug", "info", "warning", "error", "critical"]
    assert schema["properties"]["limit"] == {
        "type": "integer",
        "description": "How many, newest first.",
        "minimum": 1,
        "maximum": 100,
    }
    assert TOOLS["act_rollback"].schema()["required"] == ["reason", "deployment"]
