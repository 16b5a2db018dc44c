"""nginx as a yardstick: one worker, `proxy_cache`, a JSON access log, in front of a server that is asked once."""

import contextlib
import os
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.process import TICK, waited_seconds
from bench.start import free_port

CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log; user root;
events {{ worker_connections 4096; }}
http {{
  log_format line escape=json '{{"ts":"$time_iso8601","request_id":"$request_id","method":"$request_method",'
    '"path":"$uri","status":$status,"latency":$request_time,"bytes":$bytes_sent,"client":"$remote_addr",'
    '"agent":"$http_user_agent","cache":"$upstream_cache_status"}}';
  access_log {folder}/access.log line;
  proxy_cache_path {folder}/cache keys_zone=near:8m;
  proxy_temp_path {folder}/temp; client_body_temp_path {folder}/body;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  keepalive_requests 100000000;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass {upstream}; proxy_cache near; proxy_cache_valid 200 1h; proxy_ignore_headers Cache-Control;
    }}
  }}
}}
"""


class Nginx:
    """A running nginx: what bench.load asks of a server."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self._process = process
        self.address = f"http://127.0.0.1:{port}"

    def cpu_seconds(self) -> float:
        used = 0
        for pid in self._pids():
            words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used += int(words[11]) + int(words[12])
        return used / TICK

    def waited_seconds(self) -> float:
        return waited_seconds(*self._pids())

    def _pids(self) -> list[str]:
        """The master and its worker."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return [str(self._process.pid), *children]


@contextmanager
def nginx(upstream: str) -> Iterator[Nginx]:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "nginx.conf"
        file.write_text(CONFIGURATION.format(folder=folder, port=port, upstream=upstream))
        program = "/usr/sbin/nginx" if os.access("/usr/sbin/nginx", os.X_OK) else "nginx"
        process = subprocess.Popen([program, "-c", str(file), "-p", folder], stderr=subprocess.DEVNULL)
        try:
            until_answers(f"http://127.0.0.1:{port}/")
            yield Nginx(process, port)
        finally:
            process.terminate()
            process.wait(10)


def until_answers(url: str) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.05)
    raise SystemExit(f"no answer from {url}")
