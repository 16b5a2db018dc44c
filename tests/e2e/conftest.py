from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.e2e.processes import PASSWORD, Stack

expect.set_options(timeout=15_000)  # on a machine that does much else

CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose repository does only what is asked."""
    running = Stack(tmp_path_factory.mktemp("stack"), speed=0)
    yield running
    running.close()


@pytest.fixture
def fresh_stack(tmp_path: Path) -> Iterator[Stack]:
    """A stack of this test alone, which it may kill."""
    running = Stack(tmp_path, speed=0)
    yield running
    running.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For one module: while Playwright's driver lives, its event loop leaves no room for another in this thread."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield running
        running.close()


@contextmanager
def page_at(browser: Browser, url: str) -> Iterator[Page]:
    """A page of the table at `url`, signed in, that fails the test on any script error or foreign request."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda asked: troubles.append(asked.url) if not asked.url.startswith(url) else None)
    page.goto(url)
    sign_in(page)
    yield page
    context.close()
    assert troubles == []


@pytest.fixture
def signed_in(browser: Browser, stack: Stack) -> Iterator[Page]:
    with page_at(browser, stack.table.url) as page:
        yield page


def sign_in(page: Page) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Findings").wait_for()
