"""The real Caddy from Debian, on free ports, with folders of its own."""

import json
import os
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.e2e.processes import eventually, free_port

GLOBAL = """{{
	admin {admin}
	auto_https off
	grace_period 5s
	log {{
		output file {own_log}
		format json
	}}
}}
"""
SITE = """http://127.0.0.1:{port} {{
	log {{
		output file {access_log}
		format {log_format}
	}}
	reverse_proxy {upstream}
}}
"""


class Caddy:
    """`Caddy(folder)` runs with its admin API on TCP, or on a unix socket when `unix` is said."""

    def __init__(
        self, folder: Path, *, unix: bool = False, upstream: str = "127.0.0.1:9", log_format: str = "json"
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.socket = folder / "admin.sock"
        self.admin_port = free_port()
        self.admin = f"unix/{self.socket}" if unix else f"http://127.0.0.1:{self.admin_port}"
        self.access_log = folder / "access.log"
        self.own_log = folder / "caddy.log"
        self.file = folder / "Caddyfile"
        self.values: dict[str, Any] = {
            "admin": f"unix/{self.socket}" if unix else f"127.0.0.1:{self.admin_port}",
            "port": self.port,
            "access_log": self.access_log,
            "own_log": self.own_log,
            "log_format": log_format,
            "upstream": upstream,
        }
        self.write(GLOBAL + SITE)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def write(self, caddyfile: str) -> None:
        self._template = caddyfile
        self.file.write_text(caddyfile.format(**self.values))

    def start(self, *more: str, again: int = 2) -> "Caddy":
        self.socket.unlink(missing_ok=True)
        environ = {
            **os.environ,
            "XDG_DATA_HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder),
            "HOME": str(self.folder),
        }
        with (self.folder / "run.log").open("ab") as said:
            self._process = subprocess.Popen(
                ["caddy", "run", "--config", str(self.file), *more],
                cwd=self.folder,
                env=environ,
                stdout=said,
                stderr=said,
            )
        try:
            eventually(self._answers)
        except RuntimeError:
            if not again:
                raise
            self._move()
            return self.start(*more, again=again - 1)
        return self

    def _move(self) -> None:
        """To other ports: between finding a free one and listening on it somebody else took it."""
        self.port, self.admin_port = free_port(), free_port()
        self.values["port"] = self.port
        if self.admin.startswith("http"):
            self.admin = f"http://127.0.0.1:{self.admin_port}"
        if self.values["admin"] != "off" and self.admin.startswith("http"):
            self.values["admin"] = f"127.0.0.1:{self.admin_port}"
        self.write(self._template)

    def _answers(self) -> bool:
        if self._process and self._process.poll() is not None:
            raise RuntimeError(f"Caddy ended: {(self.folder / 'run.log').read_text()[-1000:]}")
        if self.values["admin"] != "off":
            return self.config() is not None
        socket.create_connection(("127.0.0.1", self.port), 1).close()
        return True

    def reload(self) -> subprocess.CompletedProcess[str]:
        """As an operator does it: adapts the Caddyfile here, then sends it."""
        command = ["caddy", "reload", "--config", str(self.file), "--address", self.values["admin"]]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=20, check=False)

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """By hand, so that it also speaks over the socket as this version wants it: with an empty Host."""
        sent = {"content-type": "application/json", **(headers or {})}
        if self.admin.startswith("http"):
            request = urllib.request.Request(self.admin + path, body, sent, method=method)
            with urllib.request.urlopen(request, timeout=10) as answer:
                return bytes(answer.read())
        lines = [f"{method} {path} HTTP/1.0", "host: ", f"content-length: {len(body or b'')}"]
        lines += [f"{name}: {value}" for name, value in sent.items()]
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(10)
            link.connect(str(self.socket))
            link.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))
            heard = b""
            while part := link.recv(65536):
                heard += part
        head, _, rest = heard.partition(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise OSError(head.decode("latin-1") + rest.decode("latin-1"))
        return rest

    def config(self, path: str = "/config/") -> Any:
        return json.loads(self.request("GET", path))

    def load(self, config: object) -> None:
        self.request("POST", "/load", json.dumps(config).encode())

    def dials(self) -> list[str]:
        """Every upstream address, in order."""
        found: list[str] = []

        def walk(node: Any) -> None:
            if isinstance(node, dict):
                found.extend([node["dial"]] if isinstance(node.get("dial"), str) else [])
            for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
                walk(inner)

        walk(self.config())
        return found

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)
