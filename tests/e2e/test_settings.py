"""The settings, in a browser against the real processes."""

import re

from playwright.sync_api import Browser, Page, expect
from tests.e2e.conftest import page_at
from tests.e2e.processes import Stack


def test_an_origin_that_is_not_connected_says_at_which_step_and_what_to_do(
    browser: Browser, fresh_stack: Stack
) -> None:
    with page_at(browser, fresh_stack.table.url) as page:
        page.goto(f"{fresh_stack.table.url}/settings/origins")
        panel = page.get_by_role("region", name="hel1")
        panel.get_by_role("button", name="Check the connection").click()
        expect(panel.get_by_text("Every step goes.")).to_be_visible()
        fresh_stack.origin.kill()
        panel.get_by_role("button", name="Check the connection").click()
        expect(panel.get_by_text(re.compile("Nothing takes connections at 127.0.0.1"))).to_be_visible()
        expect(panel.get_by_text("not tried: a step before it failed").first).to_be_visible()


def test_a_token_is_shown_once_and_an_audit_tells_of_it(signed_in: Page, stack: Stack) -> None:
    signed_in.goto(f"{stack.table.url}/settings/tokens")
    signed_in.get_by_role("button", name="New token").click()
    sheet = signed_in.get_by_role("dialog")
    sheet.get_by_label(re.compile("^Name")).fill("ci-of-rocket")
    sheet.get_by_role("button", name="Make the token").click()
    token = sheet.locator("code").inner_text()
    sheet.get_by_role("button", name="Close").click()
    row = signed_in.get_by_role("row").filter(has_text="ci-of-rocket")
    expect(row).to_contain_text("viewer")
    assert token not in signed_in.content()
    signed_in.get_by_role("link", name="Audit").click()
    expect(row.first).to_contain_text("make the API token ci-of-rocket")
    expect(signed_in.get_by_role("region", name="The chain")).to_contain_text("whole")
    signed_in.get_by_role("link", name="Tokens").click()
    row.get_by_role("button", name="Revoke").click()
    signed_in.get_by_role("dialog").get_by_role("button", name="Revoke it").click()
    expect(row).to_have_count(0)


def test_every_part_of_the_settings_is_there_on_a_phone(signed_in: Page, stack: Stack) -> None:
    signed_in.set_viewport_size({"width": 390, "height": 844})
    signed_in.get_by_role("button", name="More").click()
    signed_in.get_by_role("link", name="Settings").click()
    nav = signed_in.get_by_role("navigation", name="Settings")
    for part in nav.get_by_role("link").all_inner_texts():
        nav.get_by_role("link", name=part, exact=True).click()
        expect(signed_in.get_by_role("heading", level=2).first).to_be_visible()
        assert signed_in.evaluate("document.documentElement.scrollWidth") == 390, part
    signed_in.set_viewport_size({"width": 1440, "height": 900})
