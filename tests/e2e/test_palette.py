"""Going anywhere by the keyboard alone."""

import re

from playwright.sync_api import Page, expect
from tests.e2e.processes import Stack


def typed(page: Page, text: str) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Go to anything")).to_be_focused()
    page.keyboard.type(text)
    expect(page.get_by_role("option").first).to_be_visible()


def test_a_few_letters_and_enter_go_anywhere(signed_in: Page, stack: Stack) -> None:
    typed(signed_in, "storage")
    signed_in.keyboard.press("Enter")
    expect(signed_in).to_have_url(f"{stack.table.url}/settings/storage")
    expect(signed_in.get_by_role("dialog")).to_have_count(0)
    typed(signed_in, "hel1 log")
    signed_in.keyboard.press("Enter")
    expect(signed_in).to_have_url(f"{stack.table.url}/logs?source=hel1")


def test_what_is_pasted_leads_to_its_trace_or_request(signed_in: Page, stack: Stack) -> None:
    typed(signed_in, "4bf92f3577b34da6a3ce929d0e0e4736")
    signed_in.keyboard.press("Enter")
    expect(signed_in).to_have_url(f"{stack.table.url}/traces/4bf92f3577b34da6a3ce929d0e0e4736")
    typed(signed_in, "0ec5f06dd45d433768591090")
    signed_in.keyboard.press("Enter")
    expect(signed_in).to_have_url(f"{stack.table.url}/logs?request_id=0ec5f06dd45d433768591090")
    signed_in.keyboard.press("Control+k")
    expect(signed_in.get_by_role("option").first).to_have_text(re.compile("0ec5f06dd45d433768591090"))
    signed_in.keyboard.press("Escape")
    expect(signed_in.get_by_role("dialog")).to_have_count(0)


def test_an_operator_acts_from_it(signed_in: Page) -> None:
    typed(signed_in, "warm hel1")
    signed_in.keyboard.press("Enter")
    sheet = signed_in.get_by_role("dialog")
    expect(sheet.get_by_role("heading", name="Warm the cache of hel1")).to_be_visible()
    sheet.get_by_label(re.compile("^Reason")).fill("before the demonstration")
    signed_in.keyboard.press("Enter")
    expect(sheet.get_by_text(re.compile("^Done: warm"))).to_be_visible()


def test_a_question_mark_shows_the_keys(signed_in: Page) -> None:
    signed_in.keyboard.press("?")
    sheet = signed_in.get_by_role("dialog")
    expect(sheet.get_by_role("heading", name="Keys")).to_be_visible()
    expect(sheet.get_by_text("Deployments")).to_be_visible()
    signed_in.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
