"""The page in a real browser, against the real processes."""

import re

from playwright.sync_api import Browser, Dialog, Page, expect
from tests.e2e.conftest import sign_in
from tests.e2e.processes import Stack, fetch


def do(stack: Stack, act: str, **details: object) -> None:
    fetch(f"{stack.standin.url}/_standin/do", body={"do": act, **details})


def report(stack: Stack, **fields: object) -> None:
    fetch(f"{stack.origin.url}/api/deploy/events", body={"slot": "green", "actor": "ada", **fields})


def test_the_overview_shows_origin_pipeline_and_deployments_marked_as_a_demonstration(signed_in: Page) -> None:
    expect(signed_in.get_by_text("All good since")).to_be_visible()
    expect(signed_in.get_by_text(re.compile("demonstration", re.IGNORECASE)).first).to_be_visible()
    for heading in ("Last deployment", "Changes", "Origins", "Pipeline", "GitHub"):
        expect(signed_in.get_by_role("heading", name=re.compile(f"^{heading}"))).to_be_visible()
    expect(signed_in.get_by_text("hel1").first).to_be_visible()
    expect(signed_in.get_by_text("acme/rocket").first).to_be_visible()


def test_a_deployment_appears_and_ends_without_a_reload(signed_in: Page, stack: Stack) -> None:
    report(stack, phase="started", revision="feedbeef01", pr_number=4711, pr_title="Fewer surprises")
    expect(signed_in.get_by_text("#4711").first).to_be_visible()
    report(stack, phase="succeeded", revision="feedbeef01", pr_number=4711, pr_title="Fewer surprises")
    panel = signed_in.get_by_role("region", name=re.compile("Last deployment"))
    expect(panel.get_by_text("deployed", exact=True)).to_be_visible()
    expect(panel.get_by_text("Fewer surprises")).to_be_visible()


def test_log_lines_arrive_while_one_looks_and_can_be_narrowed(signed_in: Page, stack: Stack) -> None:
    signed_in.goto(f"{stack.table.url}/logs")
    fetch(f"{stack.origin.url}/api/repos", headers={"x-request-id": "seen-live"})
    expect(signed_in.get_by_text("/api/repos").first).to_be_visible()
    signed_in.keyboard.press("/")
    signed_in.keyboard.type("needle-in-the-hay")
    fetch(f"{stack.origin.url}/livez?x=1", headers={"user-agent": "needle-in-the-hay"})
    expect(signed_in).to_have_url(re.compile("needle-in-the-hay"))
    expect(signed_in.get_by_text("/livez").first).to_be_visible()
    expect(signed_in.get_by_text("/api/repos")).to_have_count(0)


def test_hostile_text_is_shown_and_never_run(signed_in: Page, stack: Stack) -> None:
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    signed_in.on("dialog", note)
    hostile = "<img src=x onerror=alert(1)>\u202e\x1b[31m"
    report(stack, phase="succeeded", revision="bada55bada55", pr_number=666, pr_title=hostile, message=hostile)
    expect(signed_in.get_by_text("<img src=x onerror=alert(1)>").first).to_be_visible()
    signed_in.goto(f"{stack.table.url}/logs?grep=hostile-agent")
    fetch(f"{stack.origin.url}/api/version", headers={"user-agent": "hostile-agent <script>alert(2)</script>"})
    expect(signed_in.get_by_text("/api/version").first).to_be_visible()
    assert dialogs == []


def test_a_wrong_password_is_told_and_five_of_them_are_slowed_down(browser: Browser, stack: Stack) -> None:
    page = browser.new_page()
    page.goto(stack.table.url)
    for attempt in range(6):
        page.get_by_label("Password").fill("wrong")
        with page.expect_response("**/api/session") as answer:
            page.keyboard.press("Enter")
        assert answer.value.status == (401 if attempt < 5 else 429)
    expect(page.get_by_role("alert")).to_contain_text(re.compile("too many|wait|minutes", re.IGNORECASE))
    page.close()


def test_the_page_says_that_the_table_is_gone_and_comes_back_by_itself(browser: Browser, fresh_stack: Stack) -> None:
    page = browser.new_page()
    page.goto(fresh_stack.table.url)
    sign_in(page)
    expect(page.get_by_text(re.compile("^live")).first).to_be_visible()
    fresh_stack.table.kill()
    expect(page.get_by_text(re.compile("reconnecting"))).to_be_visible(timeout=10_000)
    fresh_stack.table.again()
    expect(page.get_by_text(re.compile("^live")).first).to_be_visible(timeout=20_000)
    page.close()


def test_a_dead_origin_is_named_with_its_cause_within_seconds(browser: Browser, fresh_stack: Stack) -> None:
    page = browser.new_page()
    page.goto(fresh_stack.table.url)
    sign_in(page)
    fresh_stack.origin.kill()
    findings = page.get_by_role("region", name="Findings")
    expect(findings.get_by_text(re.compile("hel1.*(unreachable|cannot be reached|does not answer)"))).to_be_visible(
        timeout=10_000
    )
    page.close()
