"""`python -m tests.e2e.screenshots`: every screen at three widths, dark and light, full and empty, into docs/images.

WebP, made by the browser itself. Together they stay below `MOST_BYTES`.
"""

import base64
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from tests.e2e.conftest import CHROMIUM, QUIET
from tests.e2e.house import House
from tests.e2e.processes import PASSWORD, Running, free_port
from tests.e2e.screens import fail, paths, say, settled, visit, wall_of

FOLDER = Path(__file__).parents[2] / "docs" / "images"
SIZES = ((1440, 900), (768, 1024), (390, 844))
QUALITY = 0.8
MOST_BYTES = 6_000_000
SETTLED_MS = 700  # after everything was asked: lines that grow, figures that come in
TO_WEBP = """
async ([png, quality]) => {
  const image = new Image();
  image.src = 'data:image/png;base64,' + png;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toDataURL('image/webp', quality).split(',')[1];
}
"""


class Studio:
    def __init__(self, browser: Browser, only: Sequence[str]) -> None:
        self._browser = browser
        self._only = only
        self._darkroom = browser.new_page()

    def take(self, page: Page, name: str) -> None:
        png = base64.b64encode(page.screenshot()).decode()
        webp = base64.b64decode(self._darkroom.evaluate(TO_WEBP, [png, QUALITY]))
        (FOLDER / f"{name}.webp").write_bytes(webp)

    def shoot(self, url: str, look: str, more: dict[str, str]) -> None:
        context = self._browser.new_context()
        context.request.post(f"{url}/api/session", data={"password": PASSWORD})
        wanted = {**paths(), **more, "wall": wall_of(context.request, url)}
        page = context.new_page()
        for name, path in wanted.items():
            if not self._only or name in self._only:
                page.goto(url + path)
                self._sizes(page, f"{name}-{{}}-{{}}-{look}")
        context.close()

    def _sizes(self, page: Page, name: str) -> None:
        page.wait_for_load_state("load")
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(SETTLED_MS * (3 if width == SIZES[0][0] else 1))
            for scheme in ("dark", "light"):
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                page.wait_for_timeout(SETTLED_MS / 7)
                self.take(page, name.format(width, scheme))


@contextmanager
def empty_table(folder: Path) -> Iterator[str]:
    folder.mkdir()
    table = Running(
        *("table", "--listen", f"127.0.0.1:{free_port()}"),
        folder=folder,
        environ={"CHIMNEY_TABLE_PASSWORD": PASSWORD},
    )
    yield table.url
    table.close()


def full(studio: Studio, browser: Browser, folder: Path) -> None:
    house = House(folder)
    context = browser.new_context()
    try:
        context.request.post(f"{house.table.url}/api/session", data={"password": PASSWORD})
        for _ in range(6):
            visit(house, rounds=5)
            say(house)
        fail(house)
        settled(context.request, house)
        deployment = f"/deployments/hel1/succeeded-{house.newest[:12]}"
        trace = context.request.get(f"{house.table.url}/api/traces?limit=1").json()["items"][0]["trace_id"]
        more = {"deployment": deployment, "trace": f"/traces/{trace}"}
        studio.shoot(house.table.url, "full", more)
    finally:
        context.close()
        house.close()


def main(only: Sequence[str]) -> int:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        studio = Studio(browser, only)
        full(studio, browser, Path(folder))
        with empty_table(Path(folder) / "empty") as url:
            studio.shoot(url, "empty", {})
        browser.close()
    size = sum(file.stat().st_size for file in FOLDER.glob("*.webp"))
    count = len(list(FOLDER.glob("*.webp")))
    sys.stdout.write(f"{count} pictures, {size / 1e6:.1f} MB of at most {MOST_BYTES / 1e6:.0f}\n")
    return 0 if size <= MOST_BYTES else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
