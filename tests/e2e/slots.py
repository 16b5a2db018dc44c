"""Blue and green of one origin, as processes over one data folder."""

from pathlib import Path
from typing import Any

from tests.e2e.processes import TOKEN, Running, fetch, free_port, status_of

REPO = "acme/rocket"
EVENTS = "/api/deploy/events"


class Slots:
    """Blue and green over one data folder, and the stand-in GitHub, whose clock stands."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.addresses = {slot: f"127.0.0.1:{free_port()}" for slot in ("blue", "green")}
        self.github = Running(
            "standin", "--listen", f"127.0.0.1:{free_port()}", "--repo", REPO, "--speed", "0", folder=folder
        )
        self.running = [self.github]

    def start(self, slot: str, **environ: str) -> Running:
        """The origin of a slot, once it is ready."""
        folder = self._folder / slot
        folder.mkdir(exist_ok=True)
        said = {
            "CHIMNEY_REPO": REPO,
            "CHIMNEY_GITHUB_TOKEN": TOKEN,
            "CHIMNEY_GITHUB_API_URL": self.github.url,
            "CHIMNEY_DATA_DIR": str(self._folder / "data"),
            "CHIMNEY_SLOT": slot,
            "CHIMNEY_SLOTS": ",".join(f"{name}={address}" for name, address in self.addresses.items()),
            **environ,
        }
        origin = Running("origin", "--listen", self.addresses[slot], folder=folder, environ=said)
        assert origin.url == f"http://{self.addresses[slot]}"
        self.running.append(origin)
        return origin

    def main(self) -> list[str]:
        """Revisions of the default branch, newest first."""
        return [one["sha"] for one in self.ask_github("/commits?per_page=5")]

    def ask_github(self, path: str) -> Any:
        headers = {"authorization": f"Bearer {TOKEN}", "user-agent": "tests"}
        return fetch(f"{self.github.url}/repos/{REPO}{path}", headers=headers)

    def statuses(self) -> dict[str, list[str]]:
        """What GitHub shows of the deployments that we made, by revision, oldest status first."""
        made = [one for one in self.ask_github("/deployments") if "chimney" in one["payload"]]
        return {
            one["sha"]: [status["state"] for status in self.ask_github(f"/deployments/{one['id']}/statuses")[::-1]]
            for one in made
        }

    def close(self) -> None:
        for process in self.running[::-1]:
            process.close()


def report(origin: Running, phase: str, revision: str, **more: Any) -> int:
    body = {"phase": phase, "revision": revision, "id": f"{phase}-{revision[:12]}", **more}
    return status_of(origin.url + EVENTS, body=body)
