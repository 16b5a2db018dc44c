"""`chimney up`: every role as a child process of its own, watched, and ended together.

With neither a repository nor a token there is nothing to look at, so the stand-in GitHub is started too and everything
is marked as a demonstration.
"""

import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

from chimney.cli.roles import settings_of
from chimney.cli.say import fail, say
from chimney.config import OriginSettings, TableSettings
from chimney.store.errors import StoreError
from chimney.store.folder import shared_folder
from chimney.web.serve import CannotListenError, claim

READY_SECONDS = 30.0
END_SECONDS = 4.5
STANDIN = "127.0.0.1:8790"
DEMONSTRATION_REPO = "acme/rocket"


class Child:
    """One role as a process. Its stderr is ours; its stdout says when it is ready."""

    def __init__(self, role: str, arguments: list[str], environ: Mapping[str, str]) -> None:
        self.role = role
        self.address: str | None = None
        self.ready = threading.Event()
        self._process = subprocess.Popen(  # noqa: S603 — our own interpreter and module
            [sys.executable, "-m", "chimney", role, *arguments],
            env=dict(environ),
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            word, _, rest = line.strip().partition(" ")
            if word == "ready":
                self.address = rest
                self.ready.set()
        self.ready.set()

    def wait_ready(self) -> str:
        """Its address. Ends the command when the child ended first or takes too long."""
        self.ready.wait(READY_SECONDS)
        if self.address is None:
            code = self._process.poll()
            fail(f"{self.role} did not start" + (f" (exit {code})" if code is not None else ""), code=2)
        return self.address

    @property
    def ended(self) -> int | None:
        return self._process.poll()

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()

    def wait_ended(self, seconds: float) -> None:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def run(config: Path | None, *, repo: str | None, speed: float) -> NoReturn:
    origin = settings_of(OriginSettings, config, repo=repo)
    table = settings_of(TableSettings, config)
    demonstration = origin.repo is None and origin.github_token is None
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    try:
        for listen in (origin.listen, table.listen):
            claim(listen)
        password = table.password.get_secret_value() if table.password else remembered(shared_folder(table.data_dir))
    except (CannotListenError, StoreError) as error:
        fail(str(error))
    children: list[Child] = []
    code = 0
    try:
        start(children, config, origin, table, password=password, demonstration=demonstration, speed=speed)
        code = watch(children, stop)
    finally:
        for child in children:
            child.end()
        for child in children:
            child.wait_ended(END_SECONDS)
    raise SystemExit(code)


def start(
    children: list[Child],
    config: Path | None,
    origin: OriginSettings,
    table: TableSettings,
    *,
    password: str,
    demonstration: bool,
    speed: float,
) -> None:
    """Starts the roles in the order in which they ask each other, and says where to look."""
    common = ["--config", str(config)] if config else []
    common += ["--quiet"] if sys.stderr.isatty() else []
    origin_url = f"http://{origin.listen}"
    environ = dict(os.environ)
    repo = origin.repo
    if demonstration:
        repo = DEMONSTRATION_REPO
        secret = origin.webhook_secret.get_secret_value() if origin.webhook_secret else secrets.token_hex(16)
        github = standin(children, origin_url, origin, speed, secret=secret)
        environ |= {
            "CHIMNEY_WEBHOOK_SECRET": secret,
            "CHIMNEY_GITHUB_API_URL": github,
            "CHIMNEY_GITHUB_TOKEN": "demonstration",
            "CHIMNEY_DEMONSTRATION": "true",
        }
    if repo:
        environ["CHIMNEY_REPO"] = repo
    children.append(Child("origin", common, environ | traces_to(table, environ)))
    environ["CHIMNEY_TABLE_PASSWORD"] = password
    if not table.origins:
        environ["CHIMNEY_TABLE_ORIGINS"] = f"{origin.slot or 'origin'}={origin_url}"
        environ |= _read_token(origin)
    children.append(Child("table", common, environ))
    address = children[-1].wait_ready()
    children[-2].wait_ready()
    say(f"ready {address}")
    say("")
    say(f"  open     {address}")
    say(f"  sign in  operator / {'the password of CHIMNEY_TABLE_PASSWORD' if table.password else password}")
    say(f"  origin   {origin_url}, repository {repo or 'not set'}")
    if demonstration:
        say("  the data is a demonstration; set CHIMNEY_REPO and GITHUB_TOKEN to see your own")


def standin(children: list[Child], origin_url: str, origin: OriginSettings, speed: float, *, secret: str) -> str:
    """The look-alike's address: its usual port, or a free one when that is taken."""
    try:
        claim(STANDIN)
        listen = STANDIN
    except CannotListenError:
        listen = "127.0.0.1:0"
    arguments = ["--listen", listen, "--repo", DEMONSTRATION_REPO, "--speed", str(speed)]
    arguments += ["--deploy-report", f"{origin_url}/api/deploy/events", "--visit", origin_url]
    arguments += ["--webhook", f"{origin_url}/api/webhooks/github", "--secret", secret]
    if origin.deploy_token:
        arguments += ["--deploy-token", origin.deploy_token[0].get_secret_value()]
    children.append(Child("standin", [*arguments, "--quiet"], os.environ))
    return children[-1].wait_ready()


def traces_to(table: TableSettings, environ: Mapping[str, str]) -> dict[str, str]:
    """The origin's traces go to the table, unless the environment has them go elsewhere or nowhere."""
    if any(environ.get(f"OTEL_EXPORTER_OTLP_{name}") for name in ("ENDPOINT", "TRACES_ENDPOINT")):
        return {}
    to = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"http://{table.listen}/v1/traces"}
    token = table.otlp_token.get_secret_value() if table.otlp_token else None
    return to | (
        {"OTEL_EXPORTER_OTLP_TRACES_HEADERS": f"authorization=Bearer%20{quote(token, safe='')}"} if token else {}
    )


def _read_token(origin: OriginSettings) -> dict[str, str]:
    tokens = origin.read_token or origin.operate_token
    name = (origin.slot or "origin").upper()
    return {f"CHIMNEY_TABLE_ORIGIN_{name}_READ_TOKEN": tokens[0].get_secret_value()} if tokens else {}


def remembered(folder: Path) -> str:
    """The password that `up` made here before, or a new one, in a file that only its owner reads."""
    file = folder / "sign-in"
    try:
        return file.read_text().strip()
    except OSError:
        password = "-".join(secrets.token_hex(2) for _ in range(3))
        file.touch(mode=0o600)
        file.write_text(password + "\n")
        return password


def watch(children: list[Child], stop: threading.Event) -> int:
    """Waits for a signal (0) or for a child that ended by itself (1)."""
    while not stop.wait(0.25):
        for child in children:
            if child.ended is not None:
                sys.stderr.write(f"chimney: {child.role} ended by itself (exit {child.ended}); ending the others\n")
                return 1
    return 0
