"""Files of a folder, answered from memory."""

import gzip
from pathlib import Path

import pytest
from tests.fakes.visitor import Heard, ask

from chimney.web.record import Recorder
from chimney.web.recover import Recover
from chimney.web.static import StaticFiles

PAGE = b"<!doctype html>" + b"<p>hello</p>" * 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    for name, content in {
        "index.html": PAGE,
        "docs/index.html": b"docs",
        "assets/app-abc123.js": b"let a = 1;" * 100,
        "picture.png": b"\x89PNG" * 300,
        ".env": b"SECRET=1",
        ".git/config": b"token",
        "docs/.hidden/x.txt": b"hidden",
        ".well-known/security.txt": b"Contact: x",
        "with space.txt": b"space",
    }.items():
        file = site / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (tmp_path / "outside.txt").write_bytes(b"outside")
    return site


async def get(folder: Path, target: bytes, *, page: str | None = None, method: str = "GET", **headers: str) -> Heard:
    files = StaticFiles(folder, page=page, headers=[(b"x-frame-options", b"DENY")], screens=("", "logs"))
    app = Recorder(Recover(files), lambda _record: None)
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return await ask(app, target, method=method, headers=told)


@pytest.mark.parametrize(
    ("target", "body", "content_type"),
    [
        (b"/", PAGE, "text/html; charset=utf-8"),
        (b"/index.html", PAGE, "text/html; charset=utf-8"),
        (b"/docs", b"docs", "text/html; charset=utf-8"),
        (b"/docs/", b"docs", "text/html; charset=utf-8"),
        (b"/picture.png", b"\x89PNG" * 300, "image/png"),
        (b"/with%20space.txt", b"space", "text/plain; charset=utf-8"),
        (b"/.well-known/security.txt", b"Contact: x", "text/plain; charset=utf-8"),
    ],
)
async def test_a_file_is_answered_with_its_type(folder: Path, target: bytes, body: bytes, content_type: str) -> None:
    heard = await get(folder, target)
    assert (heard.status, heard.body, heard.header("content-type")) == (200, body, content_type)
    assert heard.header("x-content-type-options") == "nosniff"
    assert heard.header("x-frame-options") == "DENY"


@pytest.mark.parametrize(
    "target",
    [
        b"/.env", b"/.git/config", b"/docs/.hidden/x.txt", b"/../outside.txt", b"/%2e%2e/outside.txt",
        b"/..%2foutside.txt", b"/docs/../../outside.txt", b"//etc/passwd", b"/etc/passwd", b"/nothing",
        b"/index.html%00", b"/.git/", b"/.git",
    ],
)  # fmt: skip
async def test_what_is_hidden_or_elsewhere_is_not_there(folder: Path, target: bytes) -> None:
    assert (await get(folder, target)).status == 404


async def test_hashed_assets_are_kept_for_ever_and_all_else_is_asked_again(folder: Path) -> None:
    assert "immutable" in ((await get(folder, b"/assets/app-abc123.js")).header("cache-control") or "")
    assert (await get(folder, b"/")).header("cache-control") == "no-cache"


async def test_a_file_that_is_known_is_not_sent_again(folder: Path) -> None:
    etag = (await get(folder, b"/")).header("etag") or ""
    again = await get(folder, b"/", if_none_match=f'"x", W/{etag}')
    assert (again.status, again.body, again.header("etag")) == (304, b"", etag)
    assert (await get(folder, b"/", if_none_match='"other"')).status == 200


async def test_text_is_packed_for_those_who_take_it(folder: Path) -> None:
    packed = await get(folder, b"/", accept_encoding="br, gzip")
    assert packed.header("content-encoding") == "gzip"
    assert gzip.decompress(packed.body) == PAGE
    assert int(packed.header("content-length") or 0) == len(packed.body)
    assert (await get(folder, b"/picture.png", accept_encoding="gzip")).header("content-encoding") is None
    assert (await get(folder, b"/")).header("vary") == "Accept-Encoding"


async def test_head_has_the_length_but_no_body(folder: Path) -> None:
    heard = await get(folder, b"/", method="HEAD")
    assert (heard.status, heard.body, heard.header("content-length")) == (200, b"", str(len(PAGE)))


async def test_a_page_answers_unknown_paths_but_not_unknown_assets(folder: Path) -> None:
    known = await get(folder, b"/logs?level=error", page="/index.html")
    assert (known.status, known.body) == (200, PAGE)
    unknown = await get(folder, b"/wp-login.php", page="/index.html", if_none_match=known.header("etag") or "")
    assert (unknown.status, unknown.body) == (404, PAGE)
    assert (await get(folder, b"/assets/gone.js", page="/index.html")).status == 404


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    assert not StaticFiles(tmp_path, page="/index.html", headers=[])
