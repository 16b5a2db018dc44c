"""`chimney tail` and `chimney status`: the table in a terminal."""

import asyncio
import os
import signal
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import httpx2
import msgspec
from rich.console import Console
from rich.text import Text

from chimney.cli.say import fail
from chimney.core.eventsource import EventParser
from chimney.core.redact import safe
from chimney.wire.finding import Findings
from chimney.wire.origin import Overview
from chimney.wire.telemetry import LogRow

_STYLES = {"error": "bold red", "critical": "bold red", "warning": "yellow", "debug": "dim"}
_SEVERITIES = {"critical": ("■", "bold red"), "warning": ("▲", "yellow"), "info": ("●", "cyan")}
RETRY_SECONDS = 2.0


def credentials(token: str | None) -> dict[str, str]:
    """The given token, else the one that the table left for its own machine."""
    if not token:
        file = Path(os.environ.get("CHIMNEY_TABLE_DATA_DIR", ".table")) / "cli.token"
        try:
            token = file.read_text().strip()
        except OSError:
            fail(f"no token: give --token, set CHIMNEY_TABLE_TOKEN, or run where the table keeps {file}")
    return {"authorization": f"Bearer {token}"}


def _refused(url: str, status: int, body: bytes) -> NoReturn:
    try:
        detail = msgspec.json.decode(body)["detail"]
    except (msgspec.DecodeError, KeyError, TypeError):
        detail = "no reason given"
    fail(f"the table at {url} answered {status}: {detail}")


def row_text(row: LogRow) -> Text:
    """One record as a line; nothing in it is interpreted."""
    line = Text(f"{row.ts[11:23]} ", style="dim")
    line.append(f"{row.level.upper():<8}", style=_STYLES.get(row.level, "green"))
    line.append(f"{row.source:<12} ", style="cyan")
    line.append(safe(row.message).replace("\n", "\n    "))
    return line


def tail(url: str, token: str | None, filters: Mapping[str, str | None]) -> None:
    """Follows until interrupted, through restarts of the table."""
    console = Console(highlight=False, soft_wrap=True)
    try:
        asyncio.run(_follow(url, credentials(token), filters, console))
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None


async def _follow(url: str, headers: dict[str, str], filters: Mapping[str, str | None], console: Console) -> None:
    last_id: str | None = None
    query = {name: value for name, value in filters.items() if value}
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=httpx2.Timeout(10, read=45)) as client:
        while True:
            resume = {"last-event-id": last_id} if last_id else {}
            try:
                async with client.stream("GET", "/api/logs/stream", params=query, headers=resume) as answer:
                    if answer.status_code != 200:
                        _refused(url, answer.status_code, await answer.aread())
                    last_id = await _print_stream(answer, console, last_id)
            except httpx2.InvalidURL as error:
                fail(f"--table: {error}")
            except httpx2.ConnectError as error:
                if last_id is None:
                    fail(f"the table at {url} cannot be reached: {error}", code=1)
                console.print(Text(f"— the table does not answer ({error}); trying again", style="yellow"))
            except httpx2.HTTPError as error:
                console.print(Text(f"— connection lost ({type(error).__name__}); resuming", style="yellow"))
            await asyncio.sleep(RETRY_SECONDS)


async def _print_stream(answer: httpx2.Response, console: Console, last_id: str | None) -> str | None:
    parser = EventParser()
    async for chunk in answer.aiter_bytes():
        for event in parser.feed(chunk):
            last_id = event.id or last_id
            if event.event == "log":
                console.print(row_text(msgspec.json.decode(event.data, type=LogRow)))
            elif event.event == "gap":
                missed = msgspec.json.decode(event.data).get("missed")
                console.print(Text(f"─ ─ ─ gap: {missed} records not held ─ ─ ─", style="yellow"))
    return last_id


def status(url: str, token: str | None) -> None:
    console = Console(highlight=False, soft_wrap=True)
    with httpx2.Client(base_url=url, headers=credentials(token), timeout=10) as client:
        findings = _get(client, url, "/api/findings", Findings)
        overview = _get(client, url, "/api/overview", Overview)
    print_findings(findings, console)
    for origin in overview.origins:
        print_origin(origin, console)
    if any(finding.severity == "critical" for finding in findings.items):
        raise SystemExit(1)


def _get(client: httpx2.Client, url: str, path: str, as_type: Any) -> Any:
    try:
        answer = client.get(path)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        fail(f"the table at {url} cannot be reached: {error}", code=1)
    if answer.status_code != 200:
        _refused(url, answer.status_code, answer.content)
    return msgspec.json.decode(answer.content, type=as_type)


def print_findings(findings: Findings, console: Console) -> None:
    if not findings.items:
        since = f" since {findings.good_since:%Y-%m-%d %H:%M} UTC" if findings.good_since else ""
        console.print(Text(f"● all good{since}", style="green"))
    for finding in findings.items:
        shape, style = _SEVERITIES[finding.severity]
        console.print(Text(f"{shape} {finding.severity:<8} {safe(finding.title)}", style=style))
        console.print(
            Text(f"    since {finding.since:%Y-%m-%d %H:%M:%S} UTC · {finding.code} · {safe(finding.detail)}")
        )
        for evidence in finding.evidence:
            console.print(Text(f"    {safe(evidence.what)}: {safe(evidence.value)}", style="dim"))
        console.print(Text(f"    to do: {safe(finding.remedy)}"))


def print_origin(origin: Any, console: Console) -> None:
    health = origin.health
    last = origin.deploy.last_deploy if origin.deploy else None
    deployed = f"{last.revision[:7]} {last.phase} {_ago(last.ended_at or last.started_at)}" if last else "no deployment"
    version = health.version if health else "?"
    quota = f"{health.github.rate_limit.remaining} left" if health and health.github.rate_limit else "quota unknown"
    marked = "  demonstration data" if origin.demonstration else ""
    console.print(Text(f"{origin.name:<16} {origin.state:<9} {version:<8} {deployed} · {quota}{marked}"))


def _ago(at: datetime) -> str:
    seconds = max(0.0, (datetime.now(UTC) - at).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds)} s ago"
