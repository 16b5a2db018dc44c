"""The canary sweep (faults.md I): each secret of both roles is one of a kind, much goes wrong, and none is seen."""

import base64
import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from tests.e2e.canaries import Canaries, forms
from tests.e2e.processes import Running, eventually, free_port

STATIC = Path(__file__).parents[2] / "src" / "chimney" / "table" / "static"
OPEN_ENDED = re.compile(r"/stream$|^/api/events$")
OWN_STORE = {"cli.token"}
LARGEST = 8 * 1024**2
DUMPS = {"PYTHONFAULTHANDLER": "1"}  # what is dumped when a process is aborted is an output too


class Client:
    """Plain HTTP, each request on a connection of its own; keeps cookies when it is told to."""

    def __init__(self, url: str, **headers: str) -> None:
        self._place = urlsplit(url).netloc
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def ask(
        self, method: str, path: str, body: object = None, *, raw: bytes | None = None, **headers: str
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """Of a stream, what comes within two seconds."""
        sent = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
        told = {"content-type": "application/json", **self.headers}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(self._place, timeout=1 if OPEN_ENDED.search(path) else 20)
        with contextlib.closing(connection):
            connection.request(method, path, sent, told)
            answer = connection.getresponse()
            data, ends = b"", time.monotonic() + (2 if OPEN_ENDED.search(path) else 60)
            with contextlib.suppress(TimeoutError, http.client.IncompleteRead):
                while time.monotonic() < ends and len(data) < LARGEST and (more := answer.read1(65_536)):
                    data += more
            return (
                answer.status,
                data,
                {name.lower(): ", ".join(answer.headers.get_all(name) or ()) for name in answer.headers},
            )

    def json(self, method: str, path: str, body: object = None) -> Any:
        status, data, _ = self.ask(method, path, body)
        assert status < 300, (status, data)
        return json.loads(data or b"null")


class Scene:
    """GitHub, Redis, an origin and a table, each of their secrets a canary, both at debug level."""

    def __init__(self, folder: Path) -> None:
        self.canaries = canaries = Canaries()
        self.folder = folder
        redis_password = canaries.new("redis password", plain=True)
        self.redis_port = free_port()
        quiet = subprocess.DEVNULL
        said = ["--port", str(self.redis_port), "--save", "", "--dir", str(folder), "--requirepass", redis_password]
        self.redis = subprocess.Popen(["redis-server", *said], stdout=quiet, stderr=quiet)
        table = f"http://127.0.0.1:{free_port()}"
        self.standin = Running(
            "standin", "--listen", "127.0.0.1:0", "--repo", "acme/rocket", "--speed", "0", folder=folder
        )
        tokens = {name: canaries.new(f"{name} token") for name in ("read", "deploy", "operate", "otlp")}
        self.origin = self._origin(table, tokens)
        self.table = self._table(table, tokens)
        assert self.table.url == table

    def _origin(self, table: str, tokens: Mapping[str, str]) -> Running:
        return Running(
            *("origin", "--listen", "127.0.0.1:0"),
            folder=self.folder,
            environ={
                **DUMPS,
                "CHIMNEY_REPO": "acme/rocket",
                "CHIMNEY_GITHUB_TOKEN": self.canaries.new("GitHub token"),
                "CHIMNEY_GITHUB_API_URL": self.standin.url,
                "CHIMNEY_WEBHOOK_SECRET": self.canaries.new("webhook secret"),
                "CHIMNEY_DRAGONFLY_URL": f"redis://:{self.canaries.made['redis password']}@127.0.0.1:{self.redis_port}",
                **{f"CHIMNEY_{name.upper()}_TOKEN": tokens[name] for name in ("read", "deploy", "operate")},
                "CHIMNEY_LOG_LEVEL": "debug",
                "OTEL_EXPORTER_OTLP_ENDPOINT": table,
                "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer%20{quote(tokens['otlp'], safe='')}",
                "OTEL_BSP_SCHEDULE_DELAY": "50",
            },
        )

    def _table(self, table: str, tokens: Mapping[str, str]) -> Running:
        receiver, heartbeat = (self.canaries.new(name, plain=True) for name in ("receiver password", "heartbeat"))
        return Running(
            *("table", "--listen", table.removeprefix("http://")),
            folder=self.folder,
            environ={
                **DUMPS,
                "CHIMNEY_TABLE_ORIGINS": f"hel1={self.origin.url}",
                "CHIMNEY_TABLE_ORIGIN_HEL1_READ_TOKEN": tokens["read"],
                "CHIMNEY_TABLE_ORIGIN_HEL1_OPERATE_TOKEN": tokens["operate"],
                "CHIMNEY_TABLE_OTLP_TOKEN": tokens["otlp"],
                "CHIMNEY_TABLE_PASSWORD": self.canaries.new("first password"),
                "CHIMNEY_TABLE_OIDC_ISSUER": "http://127.0.0.1:9",
                "CHIMNEY_TABLE_OIDC_CLIENT_ID": "table",
                "CHIMNEY_TABLE_OIDC_CLIENT_SECRET": self.canaries.new("OIDC secret"),
                "CHIMNEY_TABLE_GITHUB_CLIENT_ID": "table",
                "CHIMNEY_TABLE_GITHUB_CLIENT_SECRET": self.canaries.new("GitHub secret"),
                "CHIMNEY_TABLE_GITHUB_ALLOW": "acme",
                "CHIMNEY_TABLE_GITHUB_URL": self.standin.url,
                "CHIMNEY_TABLE_GITHUB_API_URL": self.standin.url,
                "CHIMNEY_TABLE_NOTIFY": f"json://ops:{receiver}@127.0.0.1:9/hook",
                "CHIMNEY_TABLE_NOTIFY_NETWORKS": "127.0.0.0/8",
                "CHIMNEY_TABLE_HEARTBEAT_URL": f"http://127.0.0.1:9/{heartbeat}",
                "CHIMNEY_TABLE_PROBE_SECONDS": "0.5",
                "CHIMNEY_TABLE_SCRAPE_SECONDS": "1",
                "CHIMNEY_TABLE_LOG_LEVEL": "debug",
            },
        )

    def close(self) -> None:
        for process in (self.table, self.origin, self.standin):
            process.close()
        self.redis.kill()
        self.redis.wait()


@pytest.fixture(name="scene")
def _scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.close()


def entered(scene: Scene) -> Client:
    """The first user, with a second one, an API token, a link and a browser that GitHub knows: their secrets too."""
    made, table = scene.canaries, Client(scene.table.url)
    status, _, headers = table.ask("POST", "/api/session", {"password": made.made["first password"]})
    assert status == 200
    cookies = re.findall(r"(chimney_\w+)=([^;]+)", headers["set-cookie"])
    user = Client(scene.table.url, cookie="; ".join(f"{name}={made.keep(name, value)}" for name, value in cookies))
    password = made.new("second password")
    user.json("POST", "/api/users", {"user": "ann", "password": password, "role": "admin"})
    changed = {"password": made.new("third password")}
    user.json("PATCH", "/api/users/ann", changed)
    made.keep("API token", user.json("POST", "/api/tokens", {"name": "ci", "role": "operator"})["token"])
    link = made.keep("link", user.json("POST", "/api/links", {"name": "Wall"})["token"])
    assert user.ask("GET", f"/tv/{link}")[0] == 200
    assert user.ask("GET", f"/api/cctray.xml?link={link}")[0] == 200
    _, _, away = table.ask("GET", "/api/session/github")
    browser = Client(scene.table.url, cookie=away.get("set-cookie", "").partition(";")[0])
    _, _, back = Client(scene.standin.url, user_agent="tests").ask(
        "GET", away["location"].partition("127.0.0.1")[2][6:]
    )
    address = urlsplit(back["location"])
    status, _, headers = browser.ask("GET", f"{address.path}?{address.query}")
    assert status == 303
    made.keep("session of GitHub's user", headers["set-cookie"].partition("=")[2].partition(";")[0])
    return user


def misuse(scene: Scene, user: Client) -> None:
    """Secrets in places where people put them by mistake, and everything that can fail, failing."""
    made = scene.canaries.made
    for place, client in ((scene.origin.url, Client(scene.origin.url)), (scene.table.url, Client(scene.table.url))):
        for secret in made.values():
            basic = base64.b64encode(f"user:{secret}".encode()).decode()
            client.ask("GET", "/api/logs", authorization=f"Basic {basic}")
            client.ask("GET", f"/api/logs?token={quote(secret, safe='')}", cookie=f"session={secret}")
            client.ask("GET", f"/api/nothing?access_token={quote(secret, safe='')}", authorization=f"Token {secret}")
        body = json.dumps({"password": made["first password"], "old": made["second password"]})
        for path in ("/api/session", "/api/session/password", "/api/users", "/api/cache/invalidate", "/api/nothing"):
            for raw in (body.encode(), body.encode()[:-4], f"[{body}]".encode()):
                with contextlib.suppress(ConnectionError):
                    Client(place).ask("POST", path, raw=raw, authorization=f"Bearer {made['operate token']}")
        client.ask("POST", "/api/webhooks/github", raw=b"{}", x_hub_signature_256=f"sha256={made['webhook secret']}")
        client.ask("POST", "/v1/logs", raw=b"{", authorization=f"Bearer {made['otlp token']}")
    user.ask("POST", "/api/session/password", {"old": made["second password"], "new": made["first password"][:7]})
    user.ask("GET", "/api/session/oidc")
    user.ask("GET", f"/api/session/github/callback?code={made['GitHub secret']}&state=x".replace("+", "%2B"))
    for target in user.json("GET", "/api/notifications")["targets"]:
        user.ask("POST", f"/api/notifications/{target['id']}/test", {})
    for act in ("invalidate", "warm", "switch", "log_level", "rerun"):
        user.ask("POST", f"/api/acts/{act}", {"all": True, "slot": "green", "reason": "canaries", "level": "debug"})
    standin, origin = Client(scene.standin.url), Client(scene.origin.url)
    for number, fault in enumerate(
        ({"status": 500}, {"unauthorized": True}, {"truncate": True}, {"rate_limited": True})
    ):
        standin.ask("POST", "/_standin/faults", fault)
        origin.ask("GET", f"/api/github/issues?page={number + 2}")
        standin.ask("DELETE", "/_standin/faults")
    scene.redis.kill()
    scene.redis.wait()
    eventually(lambda: '"unavailable"' in origin.ask("GET", "/healthz")[1].decode())
    findings = "/api/findings"
    eventually(lambda: "dragonfly_unreachable" in user.ask("GET", findings)[1].decode(), within=90)


def answers(place: str, client: Client) -> dict[str, bytes]:
    """What every GET of a role answers."""
    paths = client.json("GET", "/api/schema/openapi.json")["paths"]
    asked = ["/livez", "/readyz", "/api/schema/openapi.json"]
    asked += [re.sub(r"{\w+}", "hel1", path) for path, item in paths.items() if "get" in item]
    asked += ["/api/series?name=chimney_requests_total", "/api/logs?limit=500", "/api/logs?level=warning&limit=500"]
    asked += ["/api/traces?limit=100", "/api/logs/download", "/"]
    return {f"{place} {path}": client.ask("GET", path)[1] for path in asked}


@pytest.mark.timeout(400)  # some 200 requests and three processes, on a machine that does much else
def test_no_secret_is_seen_outside_its_own_store(scene: Scene, tmp_path: Path) -> None:
    user = entered(scene)
    misuse(scene, user)
    made = scene.canaries.made
    operator = Client(scene.origin.url, authorization=f"Bearer {made['operate token']}")
    eventually(lambda: json.loads(user.ask("GET", "/api/traces")[1])["items"], within=30)
    outputs = {**answers("origin", operator), **answers("table", user)}
    assert len(outputs) > 60
    assert len(outputs["table /api/logs/download"]) > 10_000, "there is something to look through"
    aborted = [(scene.table, signal.SIGABRT), (scene.origin, signal.SIGABRT), (scene.standin, signal.SIGTERM)]
    for process, by in aborted:
        os.kill(process.process.pid, by)
        process._ended()
        outputs[f"stderr of {process.arguments[0]}"] = process.errors().encode()
        outputs[f"stdout of {process.arguments[0]}"] = "\n".join(process.lines).encode()
    assert b"Current thread" in outputs["stderr of table"], "the dump"
    files = [
        file for file in (*tmp_path.rglob("*"), *STATIC.rglob("*")) if file.is_file() and file.name not in OWN_STORE
    ]
    outputs |= {f"file {file.name}": file.read_bytes() for file in files}
    assert b"$argon2id$" in b"".join(outputs.values()), "the database was looked at"
    assert scene.canaries.seen(outputs) == []


def test_a_canary_is_seen_in_every_form() -> None:
    """The sweep itself: it must not pass by looking for the wrong thing."""
    canaries = Canaries()
    secret = canaries.new("one")
    for before in ("", "u", "us", "user:"):
        assert canaries.seen({"x": base64.b64encode(f"{before}{secret} after".encode())})
        assert canaries.seen({"x": base64.urlsafe_b64encode(f"{before}{secret}".encode())})
    for written in (secret, quote(secret, safe=""), secret.encode().hex(), f'{{"a":"{secret}"}}'):
        assert canaries.seen({"x": f"… {written} …".encode()})
    assert canaries.seen({"x": f"… {secret[:-1]}".encode()}) == []
    assert len(forms(secret)) == 10
