"""What people come to the page for, done in a real browser against the real processes."""

import re

from playwright.sync_api import Page, expect
from tests.e2e.processes import Stack, fetch


def test_the_pull_requests_are_dropped_from_the_cache_after_a_merge(signed_in: Page, stack: Stack) -> None:
    fetch(f"{stack.origin.url}/api/github/pulls")
    signed_in.keyboard.press("g")
    signed_in.keyboard.press("c")
    expect(signed_in).to_have_url(f"{stack.table.url}/cache")
    signed_in.get_by_placeholder("Filter the keys").fill("rocket/pulls")
    expect(signed_in).to_have_url(re.compile("key=rocket"))
    row = signed_in.get_by_role("row").filter(has_text=re.compile("/pulls$|/pulls\\D")).last
    row.get_by_role("button", name=re.compile("^Drop")).click()
    signed_in.get_by_role("button", name="this path and below").click()
    sheet = signed_in.get_by_role("dialog")
    sheet.get_by_label(re.compile("^Reason")).fill("merged by hand")
    sheet.get_by_role("button", name="Drop", exact=True).click()
    expect(sheet.get_by_text("Done: invalidate /repos/acme/rocket/pulls")).to_be_visible()
    expect(sheet.get_by_text('"reason": "merged by hand"')).to_be_visible()
