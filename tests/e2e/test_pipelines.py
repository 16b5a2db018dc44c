"""What people come to the Pipelines screen for, in a real browser against the real processes."""

import re
from typing import Any

from playwright.sync_api import Page, expect
from tests.e2e.processes import Stack, eventually, fetch


def do(stack: Stack, act: str, **more: Any) -> dict[str, Any]:
    """Has the repository's life go on, and the origin see it: without webhooks it would look again in a while."""
    did: dict[str, Any] = fetch(f"{stack.standin.url}/_standin/do", body={"do": act, **more})
    see(stack)
    return did


def see(stack: Stack) -> None:
    fetch(f"{stack.origin.url}/api/cache/invalidate", body={"all": True, "reason": "a test"})


def run_of(stack: Stack, number: int) -> dict[str, Any]:
    see(stack)
    found: dict[str, Any] = fetch(f"{stack.origin.url}/api/github/actions/runs/{number}")
    return found


def test_approve_the_waiting_deployment(signed_in: Page, stack: Stack) -> None:
    number = do(stack, "wait_run")["run"]["id"]
    signed_in.keyboard.press("g")
    signed_in.keyboard.press("p")
    expect(signed_in).to_have_url(f"{stack.table.url}/pipelines")
    waiting = signed_in.get_by_role("region", name="1 run waiting for approval")
    waiting.get_by_role("button", name="Approve…").click()
    sheet = signed_in.get_by_role("dialog")
    sheet.get_by_label(re.compile("^Reason")).fill("checked with the team")
    sheet.get_by_role("button", name="Approve", exact=True).click()
    expect(sheet.get_by_text(f"Done: approve run {number}")).to_be_visible()
    expect(sheet.get_by_text('"production"')).to_be_visible()
    assert run_of(stack, number)["status"] != "waiting"
    done = stack.ask_table("/api/audit")["items"][0]
    assert (done["did"], done["reason"], done["result"]) == (f"approve run {number}", "checked with the team", "done")
    sheet.get_by_role("button", name="Close").click()
    expect(waiting).to_be_hidden(timeout=15_000)


def test_a_failed_run_says_why_and_is_run_again(signed_in: Page, stack: Stack) -> None:
    revision = do(stack, "push", message="Break the build")["shas"][0]
    runs = fetch(f"{stack.origin.url}/api/github/actions/runs")["workflow_runs"]
    number = next(one["id"] for one in runs if one["head_sha"] == revision)
    do(stack, "fail_run", id=number)
    signed_in.goto(f"{stack.table.url}/pipelines")
    signed_in.get_by_label("Status").select_option("failed")
    expect(signed_in).to_have_url(re.compile(r"\?status=failed$"))
    signed_in.get_by_placeholder("Title, actor").fill("break the build")
    signed_in.get_by_role("link", name="Break the build", exact=True).click()
    expect(signed_in).to_have_url(re.compile(rf"/pipelines/hel1/{number}\?repo="))
    log = signed_in.get_by_role("log")
    reason = log.locator("[data-marked]")
    expect(reason).to_contain_text(re.compile(r"1 failed in .* at [0-9a-f]{7}"))
    expect(reason).to_be_in_viewport()
    expect(log.get_by_text("Process completed with exit code 1.")).to_be_visible()
    expect(log.get_by_role("button", name="Run Check out")).to_have_attribute("aria-expanded", "false")
    signed_in.get_by_label("Search in the log").fill("check out")
    expect(signed_in.get_by_text(re.compile(r"^1 of \d+$"))).to_be_visible()

    signed_in.get_by_role("button", name="Re-run failed…").click()
    sheet = signed_in.get_by_role("dialog")
    sheet.get_by_role("button", name="Re-run failed", exact=True).click()
    expect(sheet.get_by_text(f"Done: rerun failed run {number}")).to_be_visible()
    sheet.get_by_role("button", name="Close").click()
    expect(signed_in.get_by_text("attempt 2")).to_be_visible(timeout=15_000)
    assert run_of(stack, number)["run_attempt"] == 2


def test_what_the_figures_are_counted_from_is_a_click_away(signed_in: Page, stack: Stack) -> None:
    eventually(lambda: stack.ask_table("/api/pipelines/figures")["deployment_frequency"]["deployments"])
    signed_in.goto(f"{stack.table.url}/pipelines?days=90")
    panel = signed_in.get_by_role("region", name="Delivery")
    panel.get_by_text("Deployment frequency").click()
    expect(panel.get_by_role("link").first).to_have_attribute("href", re.compile("^/deployments/hel1/"))
    expect(signed_in.get_by_role("region", name="GitHub quota").get_by_role("meter")).to_be_visible()
    expect(signed_in.get_by_text("so changes arrive by polling")).to_be_visible()
