"""Two slots behind the real Caddy, followed by a table that takes their traces: what a small team runs."""

from pathlib import Path
from typing import Any

from tests.e2e.processes import PASSWORD, Running, eventually, fetch, free_port
from tests.e2e.slots import Slots, report
from tests.fakes.caddy import Caddy


class House:
    """Caddy points to green, which runs the newest; blue still runs the one before. The last deployment failed."""

    def __init__(self, folder: Path) -> None:
        self.slots = Slots(folder)
        self.caddy = Caddy(folder / "caddy", upstream=self.slots.addresses["green"]).start()
        self.newest, self.older = self.slots.main()[:2]
        listen = f"127.0.0.1:{free_port()}"
        edge = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{listen}",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "CHIMNEY_CADDY_ADMIN": self.caddy.admin,
            "CHIMNEY_CADDY_ACCESS_LOG": str(self.caddy.access_log),
            "CHIMNEY_PROBES": f"{self.caddy.url}/readyz,http://127.0.0.1:9/",
            "CHIMNEY_PROBE_SECONDS": "0.5",
        }
        self.blue = self.slots.start("blue", CHIMNEY_REVISION=self.older, **edge)
        self.slots.start("green", CHIMNEY_REVISION=self.newest, **edge)
        table = {"CHIMNEY_TABLE_PASSWORD": PASSWORD, "CHIMNEY_TABLE_PROBE_SECONDS": "0.5"}
        table["CHIMNEY_TABLE_SCRAPE_SECONDS"] = "1"
        table["CHIMNEY_TABLE_ORIGINS"] = f"hel1={self.blue.url}"
        self.table = Running("table", "--listen", listen, folder=folder, environ=table)
        assert self.table.url
        self._deploy()

    def _deploy(self) -> None:
        report(self.blue, "succeeded", self.older, slot="blue", pr_number=7, pr_title="The one before")
        report(self.blue, "succeeded", self.newest, slot="green", actor="ada")
        [self.failing] = self.do("push", message="Half of it")["shas"]
        run = self.do("fail_run")["run"]
        report(self.blue, "failed", self.failing, slot="blue", message="Half of it", run_url=run["html_url"])
        eventually(lambda: self.slots_now() == (True, True))

    def do(self, act: str, **how: str) -> Any:
        return fetch(f"{self.slots.github.url}/_standin/do", body={"do": act, **how})

    def github_fails(self, requests: int) -> None:
        fetch(f"{self.slots.github.url}/_standin/faults", body={"status": 500, "for_requests": requests})

    def slots_now(self) -> tuple[bool | None, bool | None]:
        slots = fetch(f"{self.blue.url}/api/deploy/status")["slots"]
        return slots["blue"]["healthy"], slots["green"]["healthy"]

    def close(self) -> None:
        self.table.close()
        self.slots.close()
        self.caddy.stop()
