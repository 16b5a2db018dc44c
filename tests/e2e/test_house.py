"""What people come for when a deployment goes wrong, in a real browser with two slots behind the real Caddy."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect
from tests.e2e.conftest import page_at
from tests.e2e.house import House
from tests.e2e.processes import PASSWORD, eventually, fetch, status_of
from tests.e2e.screens import fail, paths, say, settled, tell, visit, wall_of
from tests.e2e.slots import report
from tests.fakes.hostile import TEXTS
from tests.fakes.otlp import attributes, log, logs, span, traces

AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
FOUND = "axe.run(document, {resultTypes: ['violations'], %s}).then(({violations}) => violations)"
RULES = {"dark": "", "light": "runOnly: ['color-contrast']"}  # only the colours differ


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


@pytest.fixture(scope="module")
def lived_in(house: House, browser: Browser) -> House:
    """With something to see on every screen."""
    context = browser.new_context()
    context.request.post(f"{house.table.url}/api/session", data={"password": PASSWORD})
    visit(house, rounds=2)
    say(house)
    fail(house)
    settled(context.request, house)
    context.close()
    return house


THINGS = ("past", "deployment", "trace", "wall")


def path_of(name: str, page: Page, house: House) -> str:
    """Of a screen, or of one thing of a screen that has things."""
    if name == "trace":
        return "/traces/" + str(page.request.get(f"{house.table.url}/api/traces").json()["items"][0]["trace_id"])
    if name == "wall":
        return wall_of(page.request, house.table.url)
    things = {"past": "/?past=1", "deployment": f"/deployments/hel1/failed-{house.failing[:12]}"}
    return {**paths(), **things}[name]


def look_at(name: str, page: Page, house: House) -> None:
    """Goes there, and waits until it has drawn."""
    page.goto(house.table.url + path_of(name, page, house))
    expect(page.locator("main")).to_be_visible()
    expect(page.locator("[data-skeleton]")).to_have_count(0)


@pytest.fixture(scope="module")
def looking(browser: Browser, lived_in: House) -> Iterator[Page]:
    """One page for all looks: signing in for each would take longer than looking."""
    with page_at(browser, lived_in.table.url) as signed_in:
        yield signed_in


@pytest.mark.parametrize("name", [*paths(), *THINGS])
def test_axe_finds_nothing_on_any_screen_dark_or_light(looking: Page, lived_in: House, name: str) -> None:
    look_at(name, looking, lived_in)
    looking.evaluate(AXE.read_text())
    faults = []
    for scheme, rules in RULES.items():
        looking.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        found: list[Any] = looking.evaluate(FOUND % rules)
        faults += [(scheme, one["id"], one["nodes"][0]["html"][:200]) for one in found]
    assert faults == []


def tab_to(page: Page, name: str) -> None:
    """Moves the focus by Tab alone to what is called so."""
    reached = []
    for _ in range(150):
        page.keyboard.press("Tab")
        now = page.evaluate("(document.activeElement.ariaLabel ?? document.activeElement.textContent ?? '').trim()")
        if re.search(name, now):
            return
        reached.append(now[:30])
    raise AssertionError(f"Tab does not lead to {name!r}; it led to {reached}")


def test_three_tasks_without_a_mouse(page: Page, lived_in: House) -> None:
    for key in "gd":
        page.keyboard.press(key)
    expect(page.get_by_role("table", name="Deployments")).to_be_visible()
    tab_to(page, f"^{lived_in.failing[:7]}.*Half of it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Why it failed")).to_be_visible()

    for key in "gl":
        page.keyboard.press(key)
    expect(page.get_by_role("treegrid").get_by_role("row").first).to_be_visible()
    tab_to(page, "^Log level…")
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog")
    expect(sheet.get_by_text(re.compile("^Now it logs"))).to_be_visible()
    tab_to(page, "^Set the level")
    page.keyboard.press("Enter")
    expect(sheet.get_by_text("Done: log level debug")).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()

    page.keyboard.press("/")
    page.keyboard.type("milestones")
    page.keyboard.press("Enter")
    grid = page.get_by_role("treegrid")
    expect(grid.get_by_role("row").first).to_contain_text("milestones")
    tab_to(page, "^Log records")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    tab_to(page, "^Filter for request_id")
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Where it went")).to_contain_text("milestones")


LINK = "<a href='javascript:alert(2)'>x</a>{{7*7}}${7*7}</script><script>alert(3)</script>"


def test_hostile_text_in_every_field_is_text_on_every_screen(page: Page, lived_in: House) -> None:
    troubles: list[str] = []

    def note(dialog: Dialog) -> None:
        troubles.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    page.add_init_script("addEventListener('securitypolicyviolation', (one) => console.error(one.violatedDirective))")
    for number, text in enumerate([*TEXTS, LINK]):
        hostile = text[:5_000].encode("utf-8", "replace").decode()
        report(
            lived_in.blue,
            "succeeded",
            f"{number:040x}",
            **dict.fromkeys(("message", "pr_title", "actor", "environment"), hostile[:190]),
            run_url="javascript:alert(1)",
        )
        fields = {"stack": hostile, f"{hostile[:100]}": hostile}
        tell(lived_in, logs(log(hostile, fields=fields, severityNumber=17), service=hostile[:90] or "x"), "logs")
        tell(
            lived_in,
            traces({**span(hostile[:200] or "x"), "attributes": attributes(fields)}, service=hostile[:90] or "x"),
            "traces",
        )
    eventually(lambda: "<img src=x" in page.request.get(f"{lived_in.table.url}/api/errors").text())
    for name in (*paths(), *THINGS):
        look_at(name, page, lived_in)
        assert page.locator("img, iframe, object, [onerror], [href^=javascript]").count() == 0
        assert troubles == [], name
    page.goto(f"{lived_in.table.url}/logs?grep=onerror")
    expect(page.get_by_text("<img src=x onerror=alert(1)>").first).to_be_visible()
    assert troubles == []
