"""Every screen of the page, read from its own list, and a house that somebody lives in: something is on each."""

import json
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import APIRequestContext
from tests.e2e.house import House
from tests.e2e.processes import eventually, fetch
from tests.fakes.otlp import log, logs

LIST = Path(__file__).parents[2] / "ui" / "src" / "views" / "screens.ts"
VISITED = ("pulls", "issues", "actions/runs", "releases", "labels", "branches", "commits", "milestones")


def paths() -> dict[str, str]:
    """Name and path of each screen; the first one has an empty path."""
    found = re.findall(r"\bpath: '([a-z]*)'", LIST.read_text())
    return {path or "overview": f"/{path}" for path in found}


def wall_of(request: APIRequestContext, url: str) -> str:
    """The path of a wall's link, made anew. The context is signed in."""
    answer = request.post(f"{url}/api/links", data={"name": "a room"}, headers={"origin": url})
    assert answer.ok, answer.text()
    return str(answer.json()["path"])


def visit(house: House, rounds: int) -> None:
    """Visitors who come through Caddy; some meet an error, one is told nothing."""
    for number in range(rounds):
        for path in VISITED:
            _ask(f"{house.caddy.url}/api/github/{path}?round={number % 7}")
        for path in ("/api/pipeline/summary", "/api/deploy/status", "/healthz", f"/nowhere/{number % 3}"):
            _ask(house.caddy.url + path)
            _ask(house.blue.url + path)


def fail(house: House) -> None:
    """GitHub fails for a moment: what is not stored is answered with 502."""
    house.github_fails(3)
    for page in range(50, 53):
        _ask(f"{house.caddy.url}/api/github/issues?page={page}")


def say(house: House) -> None:
    """A program of another kind tells its log, in colours."""
    said = [
        ("\x1b[32mpaid\x1b[0m order 4711 in \x1b[1m18 ms\x1b[0m", 9),
        ("\x1b[33mretrying\x1b[0m the bank: 503", 13),
        ("\x1b[31mpanic\x1b[0m: no ledger\n  at book (ledger.go:17)\n  at main (main.go:3)", 17),
    ]
    records = [log(text, severityNumber=severity, fields={"order": 4711}) for text, severity in said]
    tell(house, logs(*records, service="payments"), "logs")


def tell(house: House, body: Any, signal: str) -> None:
    fetch(f"{house.table.url}/v1/{signal}", body=body)


def _ask(url: str) -> None:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            answer.read()
    except urllib.error.HTTPError as error:
        error.close()


def settled(request: APIRequestContext, house: House) -> None:
    """What was done is in the table, on every screen."""

    def has(path: str, *texts: str) -> bool:
        answer = request.get(house.table.url + path).text()
        return all(text in answer for text in texts)

    def measured() -> bool:
        origins = json.loads(request.get(f"{house.table.url}/api/overview").text())["origins"]
        return bool(origins[0]["traffic"] and max(origins[0]["traffic"]["rates"]))

    eventually(lambda: has("/api/logs?source=hel1:edge", "/api/github/pulls"), within=30)
    eventually(lambda: has("/api/errors", "GitHub answered"), within=30)
    eventually(lambda: has("/api/traces", "chimney-origin"), within=30)
    eventually(measured, within=30)
