"""The screen in the room, and what stands in a README, by the real processes."""

import re
import urllib.request

from playwright.sync_api import Browser, Page, expect
from tests.e2e.conftest import page_at
from tests.e2e.processes import Stack, eventually, status_of


def fits(page: Page) -> bool:
    """Nothing scrolls, and nothing is cut at the edge of the screen."""
    size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    low = page.locator("footer").bounding_box()
    return bool(size == [1920, 1080] and low and low["y"] + low["height"] <= 1080)


EDGE = """['Top', 'Right', 'Bottom', 'Left'].map(
    (side) => getComputedStyle(document.querySelector('main'))['border' + side + 'Color'])"""


def edge(page: Page) -> set[str]:
    """The colours of its four sides."""
    return set(page.evaluate(EDGE))


def make_link(desk: Page, name: str) -> str:
    """As an operator does it; gives its address."""
    desk.get_by_role("link", name="Settings").first.click()
    desk.get_by_role("link", name="Links").click()
    desk.get_by_role("button", name="New link").click()
    sheet = desk.get_by_role("dialog")
    sheet.get_by_label(re.compile("^Name")).fill(name)
    sheet.get_by_role("button", name="Make the link").click()
    expect(sheet.get_by_text("shown this once")).to_be_visible()
    return str(sheet.locator("code").inner_text())


def test_hang_it_on_the_wall(browser: Browser, fresh_stack: Stack) -> None:
    stack = fresh_stack
    with page_at(browser, stack.table.url) as desk:
        address = make_link(desk, "Kitchen")
    path = address.removeprefix(stack.table.url)

    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(re.sub(r"/assets/.*", "/assets/", request.url)))
    page.goto(address)
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("All good")
    expect(page.get_by_role("status")).to_have_text("live")
    expect(page.locator("footer").get_by_text(re.compile("deploy|none yet")).first).to_be_visible()
    assert fits(page)
    assert edge(page) == {"rgba(0, 0, 0, 0)"}

    stack.origin.kill()
    expect(heading).to_have_text(re.compile("^[1-9]"), timeout=30_000)
    expect(page.get_by_text(re.compile("hel1.*(unreachable|cannot be reached|does not answer)")).first).to_be_visible(
        timeout=30_000
    )
    expect(page.locator("main.critical")).to_be_visible()
    assert all(re.fullmatch(r"rgb\((229, 20, 27|255, 107, 107)\)", colour) for colour in edge(page))
    assert fits(page)

    stack.table.kill()
    expect(page.get_by_text(re.compile("No connection since"))).to_be_visible(timeout=30_000)
    assert fits(page)
    stack.table.again()
    expect(page.locator("main.critical")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("status")).to_have_text("live", timeout=30_000)
    stack.origin.again()
    expect(heading).to_have_text("All good", timeout=30_000)

    with page_at(browser, stack.table.url) as desk:
        desk.goto(f"{stack.table.url}/settings/links")
        row = desk.get_by_role("row").filter(has_text="Kitchen")
        expect(row.get_by_text("1 screen")).to_be_visible()
        row.get_by_role("button", name="Revoke").click()
        desk.get_by_role("dialog").get_by_role("button", name="Revoke it").click()
        expect(desk.get_by_text("There is no link yet")).to_be_visible()
    expect(page.get_by_text("This link does not work any more")).to_be_visible(timeout=30_000)
    assert status_of(address) == 404
    own = {f"{stack.table.url}{one}" for one in (path, "/assets/", "/api/wall/stream")}
    assert asked == own
    assert context.cookies() == []
    assert path.removeprefix("/tv/") not in stack.table.errors() + stack.origin.errors()
    context.close()


def test_a_badge_stands_in_a_readme(stack: Stack) -> None:
    def badge(name: str) -> str:
        with urllib.request.urlopen(f"{stack.table.url}/badge/hel1/{name}.svg", timeout=10) as answer:
            assert answer.headers["content-type"] == "image/svg+xml; charset=utf-8"
            return str(answer.read().decode())

    eventually(lambda: "passing" in badge("pipeline") or "failing" in badge("pipeline"), within=30)
    assert "%" in badge("uptime")
    assert re.search("deployed|none yet", badge("deploy"))
