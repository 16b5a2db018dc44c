"""From what is seen to what caused it: log line, trace, error, deployment, in a real browser on the real processes."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.e2e.processes import Stack, eventually, fetch, status_of

REVISION = "5f0c1de" + "0" * 33


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = Stack(tmp_path_factory.mktemp("traced"), speed=0, traced=True)
    yield running
    running.close()


def test_one_request_is_followed_from_its_log_line_to_the_github_call(signed_in: Page, stack: Stack) -> None:
    fetch(f"{stack.origin.url}/api/github/labels", headers={"x-request-id": "follow-me"})
    signed_in.keyboard.press("/")
    signed_in.keyboard.type("github/labels")
    line = signed_in.get_by_role("row").filter(has_text="/api/github/labels")
    line.get_by_role("link", name=re.compile("^trace")).click()
    expect(signed_in).to_have_url(re.compile(r"/traces/[0-9a-f]{32}$"))
    waterfall = signed_in.get_by_role("list", name="Spans of the trace, each below its parent")
    asked = waterfall.get_by_role("button", name=re.compile("GET .*rocket.labels.* 200"))
    asked.click()
    expect(waterfall.get_by_text(f"{stack.standin.url}/repos/acme/rocket/labels")).to_be_visible()
    expect(waterfall.get_by_role("link", name=re.compile("GET .api.github.labels 200 miss"))).to_be_visible()
    signed_in.reload()
    expect(waterfall.get_by_text("url.full")).to_be_visible()


def test_the_deployment_that_brought_an_error_is_found(signed_in: Page, stack: Stack) -> None:
    report = {"phase": "succeeded", "revision": REVISION, "environment": "production", "slot": "blue", "pr_number": 7}
    told = fetch(f"{stack.origin.url}/api/deploy/events", body={**report, "id": "brought-it"})
    eventually(lambda: told["deployment"]["id"] in str(stack.ask_table("/api/deployments")))
    fetch(
        f"{stack.standin.url}/_standin/faults",
        body={"status": 500, "for_requests": 3, "path": "/repos/acme/rocket/issues"},
    )
    assert status_of(f"{stack.origin.url}/api/github/issues/4711") == 502
    signed_in.keyboard.press("g")
    signed_in.keyboard.press("m")
    group = signed_in.get_by_role("button", name=re.compile("^new github-unexpected .*in 5f0c1de \\(#7\\)"))
    group.click()
    expect(signed_in.get_by_text(re.compile("in the deployment 5f0c1de"))).to_be_visible()
    expect(signed_in.get_by_role("link", name="5f0c1de (#7)").first).to_have_attribute(
        "href", re.compile(f"^/deployments/hel1/{told['deployment']['id']}$")
    )
    signed_in.get_by_role("link", name="its trace").click()
    spans = signed_in.get_by_role("list", name="Spans of the trace, each below its parent")
    expect(spans.get_by_role("button", name=re.compile("error .*GET .*issues.4711 500"))).to_be_visible()


def test_routes_are_measured_and_lead_to_their_traces(signed_in: Page, stack: Stack) -> None:
    def measured() -> bool:
        fetch(f"{stack.origin.url}/api/github/pulls")
        series = stack.ask_table("/api/series?name=chimney_requests_total&by=route")["series"]
        return any("pulls" in one["labels"].get("route", "") for one in series)

    eventually(measured)
    signed_in.goto(f"{stack.table.url}/metrics?last=15m&filter=pulls")
    signed_in.get_by_role("button", name="/api/github/repos/{repo}/pulls").click()
    expect(signed_in).to_have_url(re.compile("route="))
    chart = signed_in.get_by_role("group", name="Duration over time")
    chart.get_by_role("link").first.dispatch_event("click")
    expect(signed_in).to_have_url(re.compile(r"/traces/[0-9a-f]{32}$"))
