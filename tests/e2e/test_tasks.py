"""What people come to the page for, done in a real browser against the real processes."""

import re

from playwright.sync_api import Page, expect
from tests.e2e.processes import Stack, fetch


def pulls(stack: Stack) -> list[int]:
    return [one["number"] for one in fetch(f"{stack.origin.url}/api/github/pulls")]


def test_drop_the_pull_request_cache_after_a_merge(signed_in: Page, stack: Stack) -> None:
    [merged, *_] = pulls(stack)
    fetch(f"{stack.standin.url}/_standin/do", body={"do": "merge_pr", "number": merged})
    assert merged in pulls(stack)
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
    assert merged not in pulls(stack)


def test_turn_on_debug_for_five_minutes(signed_in: Page, stack: Stack) -> None:
    signed_in.keyboard.press("g")
    signed_in.keyboard.press("l")
    signed_in.get_by_role("button", name="Log level…").click()
    sheet = signed_in.get_by_role("dialog")
    expect(sheet.get_by_text("Now it logs info")).to_be_visible()
    expect(sheet.get_by_label("Level")).to_have_value("debug")
    expect(sheet.get_by_role("combobox", name=re.compile("^For"))).to_have_value("300")
    sheet.get_by_label(re.compile("^Reason")).fill("a slow answer")
    sheet.get_by_role("button", name="Set the level").click()
    expect(sheet.get_by_text("Done: log level debug")).to_be_visible()
    sheet.get_by_role("button", name="Close").click()
    fetch(f"{stack.origin.url}/api/github/milestones")
    line = signed_in.get_by_role("row").filter(has_text=re.compile("DEBUG.*GitHub answered GET .*milestones"))
    expect(line.first).to_be_visible()
    levels = fetch(f"{stack.origin.url}/api/log-level")
    assert (levels["level"], levels["reverts_at"] is not None) == ("debug", True)


def test_a_record_leads_to_those_like_it_and_to_all_but_those(signed_in: Page, stack: Stack) -> None:
    for path in ("/api/repos", "/api/version"):
        fetch(f"{stack.origin.url}{path}", headers={"user-agent": "a-test"})
    signed_in.goto(f"{stack.table.url}/logs?grep=a-test")
    rows = signed_in.get_by_role("treegrid").get_by_role("row")
    rows.filter(has_text="/api/repos").first.click()
    signed_in.get_by_role("button", name="Filter out path").click()
    expect(signed_in.get_by_role("list", name="Filters")).to_contain_text("path = /api/repos")
    expect(rows.filter(has_text="/api/version").first).to_be_visible()
    expect(rows.filter(has_text="/api/repos")).to_have_count(0)
    signed_in.get_by_role("group", name="Sources").get_by_role("button", name=re.compile("^table")).click()
    expect(signed_in.get_by_text("No record matches")).to_be_visible()
    signed_in.go_back()
    signed_in.get_by_role("button", name="Copy, share, download").click()
    with signed_in.expect_download() as file:
        signed_in.get_by_role("link", name="Download as CSV").click()
    text = file.value.path().read_text()
    assert ("/api/version" in text, "/api/repos" in text) == (True, False)


def test_what_is_read_stays_where_it_is_while_records_arrive(signed_in: Page, stack: Stack) -> None:
    for number in range(60):
        fetch(f"{stack.origin.url}/api/version?n={number}")
    signed_in.goto(f"{stack.table.url}/logs?source=hel1")
    expect(signed_in.get_by_text("live", exact=False).first).to_be_visible()
    grid = signed_in.get_by_role("treegrid")
    expect(grid.get_by_text("/api/version").first).to_be_visible()
    grid.hover()
    signed_in.mouse.wheel(0, -200)
    expect(signed_in.get_by_text("paused", exact=True)).to_be_visible()
    place = grid.evaluate("one => one.scrollTop")
    fetch(f"{stack.origin.url}/api/repos")
    pill = signed_in.get_by_role("button", name=re.compile("new$"))
    expect(pill).to_be_visible()
    assert grid.evaluate("one => one.scrollTop") == place
    pill.click()
    expect(grid.get_by_text("/api/repos").last).to_be_visible()
    expect(signed_in.get_by_text("paused", exact=True)).to_be_hidden()


def test_silence_what_is_known_and_read_later_what_was_wrong(signed_in: Page, stack: Stack) -> None:
    def report(phase: str) -> None:
        fetch(f"{stack.origin.url}/api/deploy/events", body={"phase": phase, "revision": "c0ffee01", "slot": "green"})

    report("failed")
    findings = signed_in.get_by_role("region", name="Findings")
    findings.get_by_role("button", name="Silence…").click()
    sheet = signed_in.get_by_role("dialog")
    sheet.get_by_label(re.compile("^Reason")).fill("it is being mended")
    sheet.get_by_role("button", name="Silence", exact=True).click()
    expect(findings).to_contain_text(re.compile(r"silenced until .* by operator:\s+it is being mended"))
    report("succeeded")
    expect(findings.get_by_text("All good since")).to_be_visible()
    findings.get_by_role("button", name="What was wrong").click()
    expect(signed_in).to_have_url(re.compile("past=1"))
    past = signed_in.get_by_role("region", name="Past findings").get_by_role("listitem")
    expect(past.filter(has_text="The last deployment of hel1 failed")).to_contain_text("lasted")
    change = signed_in.get_by_role("region", name="Changes").get_by_role("listitem").filter(has_text="c0ffee0")
    expect(change).to_contain_text("watched")
