"""The page in Chromium: first paint, a line's way onto the screen, a thousand lines a second, a hundred origins.

BENCH_UI_RECORDS are kept before anybody looks, BENCH_UI_SECONDS is how long lines pour in.
"""

import os
import statistics
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from playwright.sync_api import Page, sync_playwright
from tests.e2e.conftest import CHROMIUM, QUIET
from tests.fakes.otlp import log, logs

from bench.ingest import log_body
from bench.page import run as first_page
from bench.process import Measured, running
from bench.table import Row

RECORDS = int(os.environ.get("BENCH_UI_RECORDS", "1000000"))
SECONDS = float(os.environ.get("BENCH_UI_SECONDS", "600"))
ORIGINS, A_SECOND, LINES = 100, 1_000, 100
PASSWORD = "bench-password"
FLAGS = [*QUIET, "--enable-precise-memory-info"]
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
TO_OVERVIEW = """
async () => {
  const frame = () => new Promise(requestAnimationFrame);
  const began = performance.now();
  document.querySelector('a[href="/"]').click();
  while (document.querySelectorAll('[aria-label=Origins] [role=row]').length <= 100) await frame();
  await frame();
  return performance.now() - began;
}
"""
SEEN = """
() => {
  window.seen = new Map();
  const look = () => {
    for (const [word] of document.body.innerText.matchAll(/line-[0-9]+-x/g))
      if (!window.seen.has(word)) window.seen.set(word, performance.timeOrigin + performance.now());
    requestAnimationFrame(look);
  };
  look();
}
"""
FRAMES = """
() => {
  window.frames_ = [];
  let [count, since] = [0, performance.now()];
  const tick = (now) => {
    count += 1;
    if (now - since >= 1000) {
      window.frames_.push((count * 1000) / (now - since));
      [count, since] = [0, now];
    }
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}
"""


def _post(table: Measured, body: bytes, kind: str = "application/json") -> None:
    asked = urllib.request.Request(f"{table.address}/v1/logs", body, {"content-type": kind})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        answer.read()


def _fill(table: Measured, records: int) -> None:
    sent = 0
    while sent < records:
        _post(table, log_body(sent), "application/x-protobuf")
        sent += 1_000


def _opened(page: Page, table: Measured) -> list[Row]:
    began = time.perf_counter()
    page.goto(table.address)
    page.get_by_role("table", name="Origins").get_by_role("row").nth(1).wait_for()
    usable = time.perf_counter() - began
    paint = page.evaluate(PAINT) / 1000
    began = time.perf_counter()
    page.get_by_role("link", name="Logs").first.click()
    page.get_by_role("treegrid").get_by_role("row").first.wait_for()
    searched = time.perf_counter() - began
    return [
        Row("first contentful paint, s", f"{RECORDS:,} records kept", paint, 1.0),
        Row("usable, s: findings and origins", f"{ORIGINS} origins", usable, 1.5),
        Row("the log is there, s", "", searched, 1.5),
    ]


def _rendered(page: Page) -> Row:
    page.wait_for_timeout(2_000)
    took = sorted(_once(page) for _ in range(5))
    return Row(f"overview of {ORIGINS} origins, ms", f"{took[0]:.0f} to {took[-1]:.0f}", took[2], 300)


def _once(page: Page) -> float:
    page.get_by_role("link", name="Cache").first.click()
    page.get_by_role("table", name="Origins").wait_for(state="detached")
    return float(page.evaluate(TO_OVERVIEW))


def _line_times(page: Page, table: Measured) -> Row:
    _post(table, msgspec.json.encode(logs(log("the first"))))
    page.goto(f"{table.address}/logs?source=shop")
    page.get_by_role("treegrid").get_by_role("row").first.wait_for()
    page.evaluate(SEEN)
    sent: dict[str, float] = {}
    for number in range(LINES):
        word = f"line-{number}-x"
        sent[word] = time.time() * 1000
        _post(table, msgspec.json.encode(logs(log(word))))
        page.wait_for_timeout(37)
    page.wait_for_timeout(2_000)
    seen = dict(page.evaluate("[...window.seen]"))
    took = sorted(seen.get(word, 1e9) - at for word, at in sent.items())
    return Row("from a record to its line, p99, ms", f"median {took[len(took) // 2]:.0f}", took[-2], 200)


@contextmanager
def _pouring(say: Callable[[], None], every: float) -> Iterator[None]:
    stop = threading.Event()

    def pour() -> None:
        due = time.monotonic()
        while not stop.is_set():
            say()
            due += every
            stop.wait(max(0.0, due - time.monotonic()))

    thread = threading.Thread(target=pour)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _heap_mb(page: Page) -> float:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.detach()
    return float(page.evaluate("performance.memory.usedJSHeapSize")) / 1e6


def _poured(page: Page, table: Measured) -> list[Row]:
    portion = msgspec.json.encode(
        logs(*(log(f"GET /api/cart/{number} 200", fields={"n": number}) for number in range(100)))
    )
    with _pouring(lambda: _post(table, portion), 100 / A_SECOND):
        page.evaluate(FRAMES)
        page.wait_for_timeout(SECONDS * 500)
        half = _heap_mb(page)
        page.wait_for_timeout(SECONDS * 500)
        whole = _heap_mb(page)
    frames: list[Any] = page.evaluate("window.frames_")
    median = statistics.median(frames)
    said = f"over {SECONDS:.0f} s at {A_SECOND:,} lines a second"
    return [
        Row("a frame, median, ms", f"{median:.0f} frames a second {said}", 1000 / median, 1000 / 55),
        Row("heap, MB", f"{half:.0f} half-way", whole, 200),
    ]


def run() -> list[Row]:
    with running("bench.origins") as simulated:
        origins = ",".join(f"o{number}={simulated.address}/o{number}" for number in range(ORIGINS))
        settings = {"CHIMNEY_TABLE_ORIGINS": origins, "CHIMNEY_TABLE_PASSWORD": PASSWORD}
        with running("chimney", "table", "--listen", "127.0.0.1:0", "--quiet", environ=settings) as table:
            _fill(table, RECORDS)
            return [first_page()[-1], *_in_chromium(table)]


def _in_chromium(table: Measured) -> list[Row]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.request.post(f"{table.address}/api/session", data={"password": PASSWORD})
        page = context.new_page()
        rows = [*_opened(page, table), _rendered(page), _line_times(page, table), *_poured(page, table)]
        browser.close()
    return rows
