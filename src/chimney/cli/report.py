"""`chimney deploy report`: one deploy report to an origin."""

import os
import re
import subprocess
import threading
from typing import Any, NoReturn

import httpx2
import msgspec

from chimney.cli.say import fail, say
from chimney.wire.deployment import ReportAccepted

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


def send(url: str, token: str | None, fields: dict[str, Any], *, pause: float = 1.0) -> None:
    """Tries three times; the report's id makes that harmless. Ends the command with 1 when the report was not kept.

    `pause` is how many seconds it waits before the second try, and twice those before the third.
    """
    headers = _authorization(token)
    fields.setdefault("id", f"cli-{fields.get('revision', '')}-{fields['phase']}-{os.urandom(4).hex()}")
    error = ""
    with httpx2.Client(timeout=10) as client:
        for attempt in range(ATTEMPTS):
            threading.Event().wait(attempt * pause)
            try:
                answer = client.post(f"{url.rstrip('/')}/api/deploy/events", json=fields, headers=headers)
            except (httpx2.UnsupportedProtocol, httpx2.InvalidURL) as failure:
                fail(f"--origin: {url!r} should be a URL such as http://127.0.0.1:8080: {failure}")
            except httpx2.HTTPError as failure:
                error = f"the origin at {url} cannot be reached: {failure}"
                continue
            if answer.status_code in (200, 201):
                _recorded(url, fields["phase"], answer)
                return
            if answer.status_code < 500:
                _refused(answer)
            error = f"the origin at {url} answered {answer.status_code}"
    fail(f"the report was not recorded: {error}", code=1)


def _authorization(token: str | None) -> dict[str, str]:
    """The first of the tokens as a header. Ends the command when it cannot be one."""
    if not token:
        return {}
    first = token.split(",")[0].strip()
    if not re.fullmatch(r"[!-~]+", first):
        fail("--token: a token should be one line of printable ASCII without spaces")
    return {"authorization": f"Bearer {first}"}


def _recorded(url: str, phase: str, answer: httpx2.Response) -> None:
    try:
        accepted = msgspec.json.decode(answer.content, type=ReportAccepted)
    except (msgspec.DecodeError, UnicodeDecodeError):
        fail(f"the report was not recorded: what answers at {url} is no origin of chimney", code=1)
    known = " (it was known already)" if answer.status_code == 200 else ""
    say(f"recorded {phase} of {accepted.deployment.revision[:12]} as {accepted.id}{known}")


def _refused(answer: httpx2.Response) -> NoReturn:
    try:
        detail = msgspec.json.decode(answer.content)["detail"]
    except (msgspec.DecodeError, KeyError, TypeError):
        detail = answer.text[:300]
    fail(f"the report was refused ({answer.status_code}): {detail}", code=2 if answer.status_code in (400, 415) else 1)
