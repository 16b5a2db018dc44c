"""The incident that chimney comes from, step by step: it lasted 10 h 52 min since nobody could see.

At each step the page names the cause. `make incident` keeps what it showed, for docs/operate/incident-replay.md.
"""

import os
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from tests.drills import deploy_drills, edge_drills, origin_drills
from tests.drills.stack import BUSY, FAR, DrillStack
from tests.e2e.conftest import CHROMIUM, QUIET, sign_in
from tests.e2e.processes import eventually

DEAD = "127.0.0.77"
NAMED_WITHIN = 90_000  # ms; a machine that does nothing else needs a third of it


@pytest.fixture(scope="module")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DrillStack]:
    running = DrillStack(tmp_path_factory.mktemp("incident"), tolerated=BUSY)
    yield running
    running.close()


@pytest.fixture
def page(incident: DrillStack) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.goto(incident.table.url)
        sign_in(page)
        yield page
        browser.close()


@contextmanager
def dead_server(stack: DrillStack) -> Iterator[None]:
    """The name points to a machine that takes no connection: its backlog is full, so nothing comes back."""
    with ExitStack() as links:
        server = links.enter_context(socket.socket())
        server.bind((DEAD, stack.front.port))
        server.listen(0)
        for _ in range(3):
            link = links.enter_context(socket.socket())
            link.setblocking(False)
            link.connect_ex((DEAD, stack.front.port))
        stack.hosts.known[FAR] = DEAD
        stack.hosts.remember()
        stack.front.well()
        yield
        stack.hosts.known[FAR] = "127.0.0.1"
        stack.hosts.remember()


STEPS = (
    ("half-copied", deploy_drills.other_revision, "slot_mismatch", "does not run what was deployed"),
    ("misplaced-block", edge_drills.misplaced_block, "edge_reload_refused", "Caddy would refuse|Caddy refused"),
    ("redirected", origin_drills.redirecting, "origin_redirects", "Origin far redirects its health check"),
    ("dead-server", dead_server, "origin_unreachable", "Origin far cannot be reached: it does not answer in time"),
)


def look(page: Page, folder: Path, name: str) -> None:
    page.screenshot(path=folder / f"incident-{name}.png", animations="disabled")


def test_each_step_of_the_incident_is_named_on_the_page(incident: DrillStack, page: Page, tmp_path: Path) -> None:
    folder = Path(os.environ.get("INCIDENT_IMAGES") or tmp_path)
    incident.calm()
    expect(page.get_by_text("All good since")).to_be_visible(timeout=NAMED_WITHIN)
    look(page, folder, "before")
    with ExitStack() as faults:
        for name, fault, code, title in STEPS:
            if name == "dead-server":
                incident.front.well()
            faults.enter_context(fault(incident))
            eventually(lambda code=code: code in {one["code"] for one in incident.findings()}, within=90)  # type: ignore[misc]
            expect(page.get_by_text(re.compile(title)).first).to_be_visible(timeout=NAMED_WITHIN)
            look(page, folder, name)
        assert incident.status() == 1
    incident.calm()
    for _, _, _, title in STEPS:
        expect(page.get_by_text(re.compile(title))).to_have_count(0, timeout=NAMED_WITHIN)
