"""The real Prometheus and Alertmanager from Debian, on free ports, with folders of their own; and promtool."""

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tests.e2e.processes import eventually, free_port

CONFIG = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: chimney
    metrics_path: /api/metrics
    static_configs: [{{targets: ["{target}"]}}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: [{alerts}]}}]}}]}}
"""


class Prometheus:
    def __init__(self, folder: Path, *, target: str, rules: Path, alerts: str = "") -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        config = folder / "prometheus.yml"
        config.write_text(CONFIG.format(rules=rules, target=target, alerts=alerts))
        with (folder / "prometheus.err").open("ab") as said:
            self._process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={config}",
                    f"--storage.tsdb.path={folder / 'tsdb'}",
                    f"--web.listen-address={self.url.removeprefix('http://')}",
                    "--enable-feature=exemplar-storage",
                    "--rules.alert.resend-delay=1s",  # its Alertmanagers are known after 5 s only
                ],
                cwd=folder,
                stdout=said,
                stderr=said,
            )
        eventually(lambda: get(self.url + "/-/ready"))

    def ask(self, endpoint: str, **query: str) -> Any:
        answer = json.loads(get(f"{self.url}/api/v1/{endpoint}?{urllib.parse.urlencode(query)}"))
        assert answer["status"] == "success", answer
        return answer["data"]

    def close(self) -> None:
        self._process.kill()
        self._process.wait(10)


def get(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            raise OSError(f"{url}: {error.code} {error.read()[:500]!r}") from None


class Alertmanager:
    def __init__(self, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        config = folder / "alertmanager.yml"
        config.write_text("route: {receiver: none, group_wait: 0s}\nreceivers: [{name: none}]\n")
        command = ["prometheus-alertmanager", f"--config.file={config}", f"--storage.path={folder / 'alerts'}"]
        command += [f"--web.listen-address={self.url.removeprefix('http://')}", "--cluster.listen-address="]
        with (folder / "alertmanager.err").open("ab") as said:
            self._process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said)
        eventually(lambda: get(self.url + "/-/ready"))

    def close(self) -> None:
        self._process.kill()
        self._process.wait(10)


def promtool(*arguments: str, well: bool = True) -> str:
    """What it said. AssertionError when it found a fault, unless that may be (`well` False)."""
    ended = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=30, check=False)
    said = ended.stdout + ended.stderr
    assert not well or ended.returncode == 0, said
    return said
