"""`chimney deploy report`: one deploy report to an origin."""

import os
import subprocess
import threading
from typing import Any, NoReturn

import httpx2
import msgspec

from chimney.cli.say import fail, say

ATTEMPTS = 3


def checked_out() -> str | None:
    """The commit that is checked out here; None outside a repository."""
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True, timeout=10)  # noqa: S607
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()


def run_url() -> str | None:
    """The address of the GitHub Actions run that this is part of; None outside of one."""
    server, repo, run = (os.environ.get(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    return f"{server}/{repo}/actions/runs/{run}" if server and repo and run else None


def send(url: str, token: str | None, fields: dict[str, Any]) -> None:
    """Tries three times; the report's id makes that harmless. Ends the command with 1 when the report was not kept."""
    headers = {"authorization": f"Bearer {token.split(',')[0].strip()}"} if token else {}
    fields.setdefault("id", f"cli-{fields.get('revision', '')}-{fields['phase']}-{os.urandom(4).hex()}")
    error = ""
    with httpx2.Client(timeout=10) as client:
        for attempt in range(ATTEMPTS):
            threading.Event().wait(attempt)
            try:
                answer = client.post(f"{url.rstrip('/')}/api/deploy/events", json=fields, headers=headers)
            except (httpx2.HTTPError, httpx2.InvalidURL) as failure:
                error = f"the origin at {url} cannot be reached: {failure}"
                continue
            if answer.status_code in (200, 201):
                accepted = answer.json()
                known = " (it was known already)" if answer.status_code == 200 else ""
                deployment = accepted["deployment"]
                say(f"recorded {fields['phase']} of {deployment['revision'][:12]} as {accepted['id']}{known}")
                return
            if answer.status_code < 500:
                _refused(answer)
            error = f"the origin at {url} answered {answer.status_code}"
    fail(f"the report was not recorded: {error}", code=1)


def _refused(answer: httpx2.Response) -> NoReturn:
    try:
        detail = msgspec.json.decode(answer.content)["detail"]
    except (msgspec.DecodeError, KeyError, TypeError):
        detail = answer.text[:300]
    fail(f"the report was refused ({answer.status_code}): {detail}", code=2 if answer.status_code in (400, 415) else 1)
