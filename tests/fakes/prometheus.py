"""The real Prometheus from Debian, on a free port, with a folder of its own; and its promtool."""

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
"""


class Prometheus:
    def __init__(self, folder: Path, *, target: str, rules: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        config = folder / "prometheus.yml"
        config.write_text(CONFIG.format(rules=rules, target=target))
        with (folder / "prometheus.err").open("ab") as said:
            self._process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={config}",
                    f"--storage.tsdb.path={folder / 'tsdb'}",
                    f"--web.listen-address={self.url.removeprefix('http://')}",
                    "--enable-feature=exemplar-storage",
                ],
                cwd=folder,
                stdout=said,
                stderr=said,
            )
        eventually(lambda: self._get("/-/ready"))

    def _get(self, path: str) -> bytes:
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise OSError(f"{path}: {error.code} {error.read()[:500]!r}") from None

    def ask(self, endpoint: str, **query: str) -> Any:
        answer = json.loads(self._get(f"/api/v1/{endpoint}?{urllib.parse.urlencode(query)}"))
        assert answer["status"] == "success", answer
        return answer["data"]

    def close(self) -> None:
        self._process.kill()
        self._process.wait(10)


def promtool(*arguments: str, well: bool = True) -> str:
    """What it said. AssertionError when it found a fault, unless that may be (`well` False)."""
    ended = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=30, check=False)
    said = ended.stdout + ended.stderr
    assert not well or ended.returncode == 0, said
    return said
