"""The table as tools: the MCP SDK's own client against a real table that follows a real origin."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from tests.e2e.processes import PASSWORD, Stack, eventually, fetch

READ = {"overview", "findings", "last_deployment", "deployments", "errors", "search_logs", "trace", "series"}


@pytest.fixture(scope="module", name="tokens")
def _tokens(stack: Stack) -> dict[str, str]:
    """By role, made as an operator makes them."""
    tokens = {}
    with httpx2.Client(base_url=stack.table.url) as client:
        assert client.post("/api/session", json={"password": PASSWORD}).status_code == 200
        for role in ("viewer", "operator"):
            wanted = {"name": f"assistant-{role}", "role": role, "expires_in_days": 1}
            tokens[role] = client.post("/api/tokens", json=wanted).json()["token"]
    return tokens


@asynccontextmanager
async def assistant(stack: Stack, token: str) -> AsyncIterator[Client]:
    headers = {"authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        transport = streamable_http_client(f"{stack.table.url}/mcp", http_client=http)
        async with Client(transport, read_timeout_seconds=60) as client:
            yield client


async def ask(client: Client, tool: str, /, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    text = result.content[0].text  # type: ignore[union-attr]
    return text if result.is_error else json.loads(text)


async def test_an_assistant_says_what_broke_after_the_last_deployment(stack: Stack, tokens: dict[str, str]) -> None:
    report = {"phase": "failed", "revision": "b" * 40, "environment": "production", "message": "half the files"}
    fetch(f"{stack.origin.url}/api/deploy/events", body=report)
    eventually(lambda: stack.ask_table("/api/deployments")["items"], within=60)
    eventually(lambda: "deploy_failed" in [one["code"] for one in stack.ask_table("/api/findings")["items"]], within=60)
    async with assistant(stack, tokens["viewer"]) as client:
        assert client.instructions is not None
        assert "last_deployment" in client.instructions
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert tools.keys() >= READ
        assert not [name for name in tools if name.startswith("act_")]
        last = await ask(client, "last_deployment")
        assert (last["deployment"]["phase"], last["deployment"]["message"]) == ("failed", "half the files")
        assert "deploy_failed" in [one["code"] for one in last["findings"]]
        one = await ask(client, "deployment", id=last["deployment"]["id"], origin="hel1")
        assert one["id"] == last["deployment"]["id"]
        assert (await ask(client, "findings"))["items"] == last["findings"]
        assert {one["name"] for one in (await ask(client, "overview"))["origins"]} == {"hel1"}
        assert (await ask(client, "search_logs", source="hel1", limit=3))["items"]
        for name in ("errors", "traces", "series_names", "pipelines", "audit", "deployments"):
            assert "items" in await ask(client, name), name
        assert (await ask(client, "series", name="chimney_requests_total"))["name"] == "chimney_requests_total"
        assert (await ask(client, "trace", id="f" * 32)).startswith("404 ")
        assert (await ask(client, "findings", nonsense=1)).startswith("findings does not take 'nonsense'")


async def test_a_viewer_may_have_nothing_done_and_an_operator_s_act_is_audited(
    stack: Stack, tokens: dict[str, str]
) -> None:
    arguments = {"all": True, "reason": "an assistant was asked to"}
    async with assistant(stack, tokens["viewer"]) as client:
        refused = await ask(client, "act_invalidate", **arguments)
        assert refused.startswith("403 ")
    async with assistant(stack, tokens["operator"]) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        hints = tools["act_rollback"].annotations
        assert hints is not None
        assert (hints.destructive_hint, hints.read_only_hint) == (True, False)
        done = await ask(client, "act_invalidate", **arguments)
        assert (done["act"], done["origin"]) == ("invalidate", "hel1")
        row = (await ask(client, "audit"))["items"][0]
    assert (row["act"], row["result"], row["reason"], row["who"]) == (
        "invalidate",
        "done",
        "an assistant was asked to",
        "token assistant-operator",
    )


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", {}, 401),
        ("POST", {"authorization": "Bearer wrong"}, 401),
        ("GET", {}, 405),
        ("DELETE", {}, 405),
        ("POST", {"sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_without_a_token_there_is_nothing(stack: Stack, method: str, headers: dict[str, str], status: int) -> None:
    with httpx2.Client(base_url=stack.table.url) as client:
        client.post("/api/session", json={"password": PASSWORD})  # a cookie is not enough
        answer = client.request(method, "/mcp", headers=headers, json={"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
