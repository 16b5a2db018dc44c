"""The MCP server itself, of the official SDK. Imported only when somebody asks for it: see assistant."""

import asyncio
from typing import Any, cast

import httpx2
import mcp_types as types
import msgspec
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from chimney import __version__
from chimney.core.account import includes
from chimney.core.tools import ABOUT, ACTING, READING, TOOLS, Tool, ToolFaultError, call_of, is_last
from chimney.table.access import identity_of
from chimney.web.asgi import Receive, Scope, Send
from chimney.web.record import record_of
from chimney.wire.account import Role

LARGEST_REQUEST = 256 * 1024
LONGEST_ANSWER = 100_000  # characters: ~25,000 tokens of a model
SECONDS = 90.0  # an act may take a minute
Context = ServerRequestContext[Any, Any]


class AskedError(Exception):
    """The table refused it; the message is its problem's."""


class ToolServer:
    """`run` is the task in which everything else of it happens."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        server = Server(
            "chimney",
            version=__version__,
            title="chimney",
            instructions=ABOUT,
            on_list_tools=self._listed,
            on_call_tool=self._called,
        )
        self._manager = StreamableHTTPSessionManager(
            server, json_response=True, stateless=True, max_request_body_size=LARGEST_REQUEST
        )

    async def run(self, started: asyncio.Future[None]) -> None:
        async with self._manager.run():
            started.set_result(None)
            await asyncio.Event().wait()

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._manager.handle_request(scope, receive, send)

    async def _listed(self, context: Context, _params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        """Acts are shown to those who may have them done."""
        may_act = includes(identity_of(_scope(context)).role, Role.OPERATOR)
        return types.ListToolsResult(tools=[_described(one) for one in (*READING, *(ACTING if may_act else ()))])

    async def _called(self, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = TOOLS.get(params.name)
        try:
            if tool is None:
                raise ToolFaultError(f"there is no tool {params.name[:60]!r}")
            asking = Asking(self._client, _scope(context))
            async with asyncio.timeout(SECONDS):
                answer = (
                    await asking.last(tool, params.arguments or {})
                    if is_last(tool)
                    else await asking.ask(tool, params.arguments or {})
                )
        except (ToolFaultError, AskedError) as error:
            return _result(str(error), failed=True)
        except TimeoutError:
            return _result(f"no answer within {SECONDS:.0f} s", failed=True)
        return _result(_shortened(answer))


class Asking:
    """One caller's requests to the table, with its token and under the id of its own request."""

    def __init__(self, client: httpx2.AsyncClient, scope: Scope) -> None:
        record = record_of(scope)
        self._client = client
        self._headers = {
            "authorization": record.headers.get(b"authorization", b"").decode("latin-1"),
            "x-request-id": record.request_id,
            "user-agent": "chimney-mcp",
        }

    async def ask(self, tool: Tool, arguments: dict[str, Any]) -> Any:
        """Raises ToolFaultError or AskedError."""
        call = call_of(tool, arguments)
        return await self._send(call.path, call.body)

    async def last(self, tool: Tool, arguments: dict[str, Any]) -> Any:
        """The newest deployment whole, with what is wrong now."""
        listed = await self._send(call_of(tool, arguments).path, None)
        findings = await self._send("/api/findings", None)
        newest = next(iter(listed["items"]), None)
        if newest is None:
            return {"deployment": None, "why": "no origin has told of a deployment", "findings": findings["items"]}
        one = TOOLS["deployment"]
        whole = await self.ask(one, {"id": newest["id"], "origin": newest["origin"]})
        return {"deployment": whole, "findings": findings["items"]}

    async def _send(self, path: str, body: dict[str, Any] | None) -> Any:
        method = "GET" if body is None else "POST"
        answer = await self._client.request(method, path, json=body, headers=self._headers)
        try:
            said = msgspec.json.decode(answer.content)
        except (msgspec.DecodeError, RecursionError):
            raise AskedError(f"the table answered {answer.status_code} without JSON") from None
        if not answer.is_success:
            told = said if isinstance(said, dict) else {}
            raise AskedError(f"{answer.status_code} {told.get('title', '')}: {told.get('detail', '')}")
        return said


def _scope(context: Context) -> Scope:
    """Of the HTTP request that the message came with."""
    return cast("Scope", cast("Any", context.request).scope)


def _described(one: Tool) -> types.Tool:
    hints = types.ToolAnnotations(
        read_only_hint=one.act is None, destructive_hint=one.hurts if one.act else False, open_world_hint=False
    )
    return types.Tool(name=one.name, description=one.does, input_schema=one.schema(), annotations=hints)


def _result(text: str, *, failed: bool = False) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=failed)


def _shortened(answer: Any) -> str:
    """JSON without what is not known; cut where it would fill a model's memory."""
    text = msgspec.json.encode(_known(answer)).decode()
    if len(text) <= LONGEST_ANSWER:
        return text
    return f"{text[:LONGEST_ANSWER]}… cut: {len(text):,} characters. Ask for less: a smaller limit, a narrower time."


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _known(inner) for name, inner in value.items() if inner is not None}
    return [_known(inner) for inner in value] if isinstance(value, list) else value
