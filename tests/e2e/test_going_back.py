"""What people come for when a deployment goes wrong, in a real browser with two slots behind the real Caddy."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.e2e.conftest import page_at
from tests.e2e.processes import PASSWORD, Running, eventually, fetch, free_port, status_of
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


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    running = House(tmp_path_factory.mktemp("house"))
    yield running
    running.close()


@pytest.fixture
def page(browser: Browser, house: House) -> Iterator[Page]:
    with page_at(browser, house.table.url) as signed_in:
        yield signed_in


def test_see_why_the_last_deployment_failed(page: Page, house: House) -> None:
    page.keyboard.press("g")
    page.keyboard.press("d")
    row = page.get_by_role("table", name="Deployments").get_by_role("row").filter(has_text="failed").first
    row.get_by_role("link", name=house.failing[:7]).click()
    expect(page).to_have_url(re.compile("/deployments/hel1/"))
    why = page.get_by_role("region", name="Why it failed")
    expect(why.get_by_text(re.compile("^at step"))).to_be_visible()
    expect(why.get_by_role("region", name=re.compile("^End of the log"))).to_contain_text(
        re.compile("error", re.IGNORECASE)
    )
    page.get_by_role("link", name="All its logs").click()
    expect(page).to_have_url(re.compile("/logs\\?source=hel1&from="))


def test_find_which_deployment_brought_this_error(page: Page, house: House) -> None:
    house.github_fails(1)
    assert status_of(f"{house.blue.url}/api/github/labels") == 502
    eventually(lambda: "GitHub answered" in page.request.get(f"{house.table.url}/api/errors").text())
    page.keyboard.press("g")
    page.keyboard.press("m")
    group = page.get_by_role("button", expanded=False).filter(has_text="GitHub answered").first
    expect(group).to_contain_text(f"in {house.newest[:7]}")
    group.click()
    page.get_by_role("link", name=house.newest[:7]).first.click()
    expect(page).to_have_url(re.compile("/deployments/hel1/"))
    expect(page.get_by_text(house.newest[:7]).first).to_be_visible()


def test_roll_back_and_say_why(page: Page, house: House) -> None:
    page.goto(f"{house.table.url}/deployments")
    expect(page.get_by_role("group", name="Lane green").get_by_text("◀ live")).to_be_visible()
    page.get_by_role("link", name=re.compile("The one before")).last.click()
    page.get_by_role("button", name=re.compile("^Roll back to this")).click()
    sheet = page.get_by_role("dialog")
    expect(sheet.get_by_text(f"Caddy sends visitors to slot blue, which runs {house.older[:7]}")).to_be_visible()
    for check in (f"slot blue runs {house.older[:7]}", "slot blue is ready", "Caddy is reachable"):
        expect(sheet.get_by_role("listitem").filter(has_text=check)).to_contain_text("yes")
    do = sheet.get_by_role("button", name="Roll back")
    expect(do).to_be_disabled()
    sheet.get_by_label(re.compile("^Reason")).fill("errors doubled")
    do.click()
    expect(sheet.get_by_text("Done: rollback to deployment")).to_be_visible(timeout=15_000)
    expect(sheet.get_by_text('"how": "switch"')).to_be_visible()
    assert house.caddy.dials() == [house.slots.addresses["blue"]]
    sheet.get_by_role("button", name="Close").click()
    expect(page.get_by_text("This is what runs now.")).to_be_visible(timeout=10_000)
    page.get_by_role("link", name="All deployments").first.click()
    expect(page.get_by_role("group", name="Lane blue").get_by_text("◀ live")).to_be_visible(timeout=10_000)
    expect(page.get_by_text(re.compile("errors doubled"))).to_be_visible()


def test_follow_one_request_from_caddy_to_the_github_call(page: Page, house: House) -> None:
    fetch(f"{house.caddy.url}/api/github/milestones")
    page.goto(f"{house.table.url}/edge")
    expect(page.get_by_text(re.compile("^visitors go to"))).to_be_visible()
    refused = page.get_by_role("region", name=re.compile(r"127.0.0.1:9\b"))
    expect(refused.get_by_text("connect", exact=True).first).to_be_visible()
    requests = page.get_by_role("list", name="Requests, newest first").get_by_role("listitem")
    requests.filter(has_text="/milestones").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile("/logs\\?request_id="))
    way = page.get_by_role("list", name="Where it went").get_by_role("listitem")
    for place in ("Caddy", "origin"):
        expect(way.filter(has_text=place).filter(has_text="GET /api/github/milestones")).to_contain_text("200")
    way.get_by_role("link", name=re.compile("^spans of trace")).click()
    expect(page).to_have_url(re.compile("/traces/"))
    github = house.slots.github.url.removeprefix("http://")
    expect(page.get_by_role("button", name=f"GET {github}/repos/acme/rocket/milestones 200")).to_be_visible()
