"""Two real origins as slots blue and green, as processes on free ports, with one data folder."""

from pathlib import Path
from typing import ClassVar

from tests.e2e.processes import Running, free_port
from tests.fakes.caddy import Caddy

TOKENS = {"CHIMNEY_READ_TOKEN": "read-it", "CHIMNEY_OPERATE_TOKEN": "operate-it", "CHIMNEY_DEPLOY_TOKEN": "deploy-it"}


class TwoSlots:
    """`configured=False`: started as if nothing had been set. They ask no GitHub."""

    REVISION: ClassVar[str] = "a" * 40
    repo = "acme/rocket"

    def __init__(
        self,
        folder: Path,
        caddy: Caddy | None = None,
        *,
        only: str | None = None,
        configured: bool = True,
        **settings: str,
    ) -> None:
        self._folder = folder
        self._configured = configured
        self._settings = settings
        self.addresses = {slot: f"127.0.0.1:{free_port()}" for slot in ([only] if only else ["blue", "green"])}
        self.running: dict[str, Running] = {}
        self.caddy = caddy

    def start(self) -> "TwoSlots":
        for slot, address in self.addresses.items():
            folder = self._folder / slot
            folder.mkdir(parents=True)
            self.running[slot] = Running("origin", "--listen", address, folder=folder, environ=self._environ(slot))
        try:
            for process in self.running.values():
                assert process.url
        except BaseException:
            self.close()
            raise
        return self

    def _environ(self, slot: str) -> dict[str, str]:
        if not self._configured:
            return {}
        return {
            "CHIMNEY_REPO": self.repo,
            "CHIMNEY_SLOT": slot,
            "CHIMNEY_REVISION": self.REVISION,
            "CHIMNEY_DATA_DIR": str(self._folder / "data"),
            "CHIMNEY_SLOTS": ",".join(f"{name}={address}" for name, address in self.addresses.items()),
            "CHIMNEY_GITHUB_API_URL": "http://127.0.0.1:9",
            **TOKENS,
            **self._settings,
        }

    def close(self) -> None:
        for process in self.running.values():
            process.close()
