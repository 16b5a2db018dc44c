"""The screen in the room, and what stands in a README, by the real processes."""

import re
import urllib.request

from playwright.sync_api import Browser, Page, expect
from tests.e2e.processes import Stack, eventually, fetch, status_of


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


def test_hang_it_on_the_wall(browser: Browser, fresh_stack: Stack) -> None:
    stack = fresh_stack
    token = (stack.folder / ".table" / "cli.token").read_text().strip()
    bearer = {"authorization": f"Bearer {token}"}
    made = fetch(f"{stack.table.url}/api/links", body={"name": "Kitchen"}, headers=bearer)

    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(re.sub(r"/assets/.*", "/assets/", request.url)))
    page.goto(stack.table.url + made["path"])
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

    bearer = {"authorization": "Bearer " + (stack.folder / ".table" / "cli.token").read_text().strip()}
    fetch(f"{stack.table.url}/api/links/{made['id']}", method="DELETE", headers=bearer)
    expect(page.get_by_text("This link does not work any more")).to_be_visible(timeout=30_000)
    assert status_of(stack.table.url + made["path"]) == 404
    own = {f"{stack.table.url}{path}" for path in (made["path"], "/assets/", "/api/wall/stream")}
    assert asked == own
    assert context.cookies() == []
    assert made["token"] not in stack.table.errors() + stack.origin.errors()
    context.close()


def test_a_badge_stands_in_a_readme(stack: Stack) -> None:
    def badge(name: str) -> str:
        with urllib.request.urlopen(f"{stack.table.url}/badge/hel1/{name}.svg", timeout=10) as answer:
            assert answer.headers["content-type"] == "image/svg+xml; charset=utf-8"
            return str(answer.read().decode())

    eventually(lambda: "passing" in badge("pipeline") or "failing" in badge("pipeline"), within=30)
    assert "%" in badge("uptime")
    assert re.search("deployed|none yet", badge("deploy"))
