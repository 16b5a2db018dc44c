"""The whole of it, as a team runs it: GitHub (the stand-in), Dragonfly (redis-server), Caddy, blue and green, an origin
far away behind TLS, the table, and visitors. One stack for many drills; its clock can be moved.

On a machine that does much else the codes of `BUSY` are true, and say nothing about the drill.
"""

import contextlib
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.drills.clock import Clock, Hosts
from tests.drills.front import Front
from tests.drills.parts import Disk, Dragonfly, Visitors
from tests.e2e.processes import PASSWORD, TOKEN, Running, eventually, fetch, free_port
from tests.fakes.caddy import GLOBAL, SITE, Caddy
from tests.fakes.health import certificate
from tests.fakes.slots import TOKENS

REPO = "acme/rocket"
SECRET = "hear-it"
OTLP_TOKEN = "tell-it"
FAR = "far.test"
SPOILT = Path(__file__).parent / "spoilt"
BUSY = frozenset(
    (
        "origin_slow",
        "latency_regressed",
        "telemetry_refused",
        "log_dropped",
        "error_rate_high",
        "dragonfly_unreachable",
        "table_behind",
    )
)
CALM_SECONDS = 90.0


class DrillStack:
    """`blue` takes visitors; `far` is followed by a name, over TLS, and has no GitHub."""

    def __init__(self, folder: Path, *, speed: float = 0, tolerated: frozenset[str] = frozenset()) -> None:
        self.folder = folder
        self.tolerated = tolerated
        self.panic = folder / "panic"  # while it exists, a loop of far fails
        self.clock = Clock(folder / "clock")
        self.far_clock = Clock(folder / "far-clock")
        self.hosts = Hosts(folder / "hosts", **{FAR: "127.0.0.1"})
        self._running: list[Running] = []
        self.addresses = {slot: f"127.0.0.1:{free_port()}" for slot in ("blue", "green")}
        self._table_address = f"127.0.0.1:{free_port()}"
        self.dragonfly = Dragonfly(folder)
        self.caddy = Caddy(folder / "caddy", upstream=self.addresses["blue"]).start()
        self.hook = Front(self.caddy.port)
        self.disk = Disk(folder / "table" / "data")
        try:
            self._start(speed)
        except BaseException:
            self.close()
            raise

    def _start(self, speed: float) -> None:
        self.github = self._role(
            *("standin", "--listen", f"127.0.0.1:{free_port()}", "--repo", REPO, "--speed", str(speed)),
            *("--webhook", f"http://127.0.0.1:{self.hook.port}/api/webhooks/github", "--secret", SECRET),
        )
        assert self.github.url
        newest, older = [one["sha"] for one in self.ask_github("/commits?per_page=2")]
        self.revisions = {"blue": newest, "green": older}
        self.blue, self.green = (self._slot(slot) for slot in ("blue", "green"))
        far = f"127.0.0.1:{free_port()}"
        environ = {
            **TOKENS,
            **self.far_clock.environ,
            "CHIMNEY_GITHUB_API_URL": self.github.url,
            "DRILL_PANIC": str(self.panic),
            "PYTHONPATH": str(SPOILT),
        }
        self.far = self._role("origin", folder="far", listen=far, environ=environ)
        (self.folder / "far-tls").mkdir()
        tls, _ = certificate(self.folder / "far-tls", FAR)
        self.front = Front(int(far.rpartition(":")[2]), tls)
        self.table = self._role("table", listen=self._table_address, environ=self._table_environ())
        assert all(one.url for one in self._running)
        self.settle()
        self.visitors = Visitors(self.caddy.url)

    def _role(
        self, *command: str, folder: str = "", listen: str = "", environ: dict[str, str] | None = None
    ) -> Running:
        """One role in a folder of its own; it may not be ready yet."""
        own = self.folder / (folder or command[0])
        own.mkdir(exist_ok=True)
        said = [*command, *(("--listen", listen) if listen else ())]
        running = Running(*said, folder=own, environ={**self.clock.environ, **(environ or {})})
        self._running.append(running)
        return running

    def _slot(self, slot: str) -> Running:
        said = {
            **TOKENS,
            "CHIMNEY_REPO": REPO,
            "CHIMNEY_GITHUB_TOKEN": TOKEN,
            "CHIMNEY_GITHUB_API_URL": self.github.url,
            "CHIMNEY_DRAGONFLY_URL": f"redis://127.0.0.1:{self.dragonfly.port}",
            "CHIMNEY_WEBHOOK_SECRET": SECRET,
            "CHIMNEY_DATA_DIR": str(self.folder / "shared"),
            "CHIMNEY_SLOT": slot,
            "CHIMNEY_SLOTS": ",".join(f"{name}={address}" for name, address in self.addresses.items()),
            "CHIMNEY_REVISION": self.revisions[slot],
            "CHIMNEY_CADDY_ADMIN": self.caddy.admin,
            "CHIMNEY_CADDY_ACCESS_LOG": str(self.caddy.access_log),
            "CHIMNEY_CADDY_LOG": str(self.caddy.own_log),
            "CHIMNEY_CADDYFILE": str(self.caddy.file),
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{self._table_address}",
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{OTLP_TOKEN}",
        }
        return self._role("origin", folder=slot, listen=self.addresses[slot], environ=said)

    def _table_environ(self) -> dict[str, str]:
        followed = {slot: f"http://{address}" for slot, address in self.addresses.items()}
        followed["far"] = f"https://{FAR}:{self.front.port}"
        tokens = {
            f"CHIMNEY_TABLE_ORIGIN_{name.upper()}_{scope}_TOKEN": f"{scope.lower()}-it"
            for name in followed
            for scope in ("READ", "OPERATE")
        }
        libraries = f"{self.clock.environ['LD_PRELOAD']}:{self.hosts.environ['LD_PRELOAD']}"
        return {
            **tokens,
            **self.hosts.environ,
            "LD_PRELOAD": libraries,
            "CHIMNEY_TABLE_ORIGINS": ",".join(f"{name}={url}" for name, url in followed.items()),
            "CHIMNEY_TABLE_PASSWORD": PASSWORD,
            "CHIMNEY_TABLE_OTLP_TOKEN": OTLP_TOKEN,
            "CHIMNEY_TABLE_CA_FILE": str(self.folder / "far-tls" / "certificate.pem"),
            "CHIMNEY_TABLE_DATA_DIR": str(self.folder / "table" / "data"),
        }

    # what is asked of it

    def token(self) -> str:
        return (self.folder / "table" / "data" / "cli.token").read_text().strip()

    def ask_table(self, path: str) -> Any:
        return fetch(self.table.url + path, headers={"authorization": f"Bearer {self.token()}"})

    def findings(self) -> list[dict[str, Any]]:
        return list(self.ask_table("/api/findings")["items"])

    def status(self) -> int:
        """How `chimney status` ends."""
        command = [sys.executable, "-m", "chimney", "status", "--table", self.table.url, "--token", self.token()]
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode

    def ask_github(self, path: str) -> Any:
        headers = {"authorization": f"Bearer {TOKEN}", "user-agent": "drills"}
        return fetch(f"{self.github.url}/repos/{REPO}{path}", headers=headers)

    def do(self, act: str, **more: Any) -> Any:
        return fetch(f"{self.github.url}/_standin/do", body={"do": act, **more})

    def break_github(self, **fault: Any) -> None:
        fetch(f"{self.github.url}/_standin/faults", body=fault)

    def mend_github(self) -> None:
        fetch(f"{self.github.url}/_standin/faults", method="DELETE")

    def report(
        self, phase: str, slot: str, revision: str | None = None, *, by: Running | None = None, **more: Any
    ) -> None:
        """A deploy report, to blue or another that keeps the same; sent again when the answer takes long."""
        body = {"phase": phase, "slot": slot, "revision": revision or self.revisions[slot], "id": uuid4().hex, **more}
        url = (by or self.blue).url + "/api/deploy/events"
        eventually(lambda: fetch(url, body=body, headers={"authorization": "Bearer deploy-it"}), within=60)

    def switch(self, slot: str, *, by: Running) -> None:
        said = {"slot": slot, "reason": "deployed"}
        fetch(by.url + "/api/edge/switch", body=said, headers={"authorization": "Bearer operate-it"})

    def settle(self) -> None:
        """Each slot has what it runs, and blue was deployed to last."""
        for slot in ("green", "blue"):
            self.report("succeeded", slot)

    def pass_time(self, seconds: int) -> None:
        for clock in (self.clock, self.far_clock):
            clock.move(seconds)

    def point_to(self, address: str) -> None:
        """Caddy, as an operator does it: by its file."""
        self.caddy.values["upstream"] = address
        self.caddy.write(GLOBAL + SITE)
        reloaded = self.caddy.reload()
        assert not reloaded.returncode, reloaded.stderr

    def calm(self) -> None:
        """Nothing is wrong any more, and every origin has been heard. A deployment that hurt is followed by another."""
        if any(one["code"] == "deploy_harmful" for one in self.findings()):
            self.settle()
        eventually(self._is_calm, within=CALM_SECONDS, every=0.5)

    def _is_calm(self) -> bool:
        origins = self.ask_table("/api/overview")["origins"]
        assert all(one["state"] in {"up", "degraded"} for one in origins), [one["reason"] for one in origins]
        streams = [(one["name"], one["stream"]["state"], one["stream"]["error"]) for one in origins]
        assert all(state == "connected" for _, state, _ in streams), streams
        found = [f"{one['code']}:{one['origin']}" for one in self.findings() if one["code"] not in self.tolerated]
        assert found == [], found
        return True

    def close(self) -> None:
        """Whatever state a drill left it in."""
        if hasattr(self, "visitors"):
            self.visitors.close()
        for running in self._running[::-1]:
            running.process.send_signal(signal.SIGCONT)
            running.process.terminate()
        for running in self._running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.process.wait(15)
            running.kill()
        if hasattr(self, "front"):
            self.front.close()
        self.hook.close()
        self.caddy.stop()
        self.dragonfly.kill()
        self.disk.end()
