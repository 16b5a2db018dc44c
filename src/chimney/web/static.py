"""Files of a folder, read once at start and answered from memory: the page is a few hundred kilobytes.

Hashed names under `assets/` never change and may be kept for ever; all else is asked again. Unknown paths get the page
itself, which finds its screen by the address; with 404 where it has none.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Container
from pathlib import Path

import msgspec

from chimney.web.asgi import Receive, Scope, Send, respond
from chimney.web.caching import matches
from chimney.web.problem import not_found
from chimney.web.record import record_of

_PACKED = (".html", ".js", ".css", ".svg", ".json", ".map", ".txt", ".webmanifest")


class Asset(msgspec.Struct, frozen=True):
    body: bytes
    packed: bytes | None
    etag: str
    headers: list[tuple[bytes, bytes]]


def _read(file: Path, name: str, security: list[tuple[bytes, bytes]]) -> Asset:
    body = file.read_bytes()
    etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    kept = b"public, max-age=31536000, immutable" if name.startswith("/assets/") else b"no-cache"
    content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if content_type.startswith("text/") or content_type == "application/javascript":
        content_type += "; charset=utf-8"
    headers = [
        (b"content-type", content_type.encode()),
        (b"cache-control", kept),
        (b"etag", etag.encode()),
        (b"vary", b"Accept-Encoding"),
        (b"x-content-type-options", b"nosniff"),
        *security,
    ]
    packed = gzip.compress(body, 9, mtime=0) if name.endswith(_PACKED) and len(body) > 512 else None
    return Asset(body, packed, etag, headers)


def _hidden(name: Path) -> bool:
    """A dot file, or one below a dot folder: a dashboard is often a checkout, and `.git` tells everything."""
    return any(part.startswith(".") and part != ".well-known" for part in name.parts)


class StaticFiles:
    """ASGI. `page` answers unknown paths when it exists, with 200 where their first part is one of `screens`; without
    it they are 404."""

    def __init__(
        self,
        folder: Path,
        *,
        page: str | None,
        headers: list[tuple[bytes, bytes]],
        screens: Container[str] = (),
    ) -> None:
        files = sorted(file for file in folder.rglob("*") if file.is_file() and not _hidden(file.relative_to(folder)))
        self._assets = {
            (name := "/" + file.relative_to(folder).as_posix()): _read(file, name, headers) for file in files
        }
        self._page = self._assets.get(page) if page else None
        self._screens = screens

    def __bool__(self) -> bool:
        return bool(self._assets)

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        record = record_of(scope)
        path: str = scope["path"]
        asset, status = self._assets.get(path) or self._assets.get(path.rstrip("/") + "/index.html"), 200
        if asset is None and not path.startswith("/assets/"):
            asset, status = self._page, 200 if path.strip("/").partition("/")[0] in self._screens else 404
        if asset is None:
            raise not_found(path)
        wanted = record.headers.get(b"if-none-match", b"").decode("latin-1")
        if status == 200 and wanted and matches(wanted, asset.etag):
            await send({"type": "http.response.start", "status": 304, "headers": asset.headers})
            await send({"type": "http.response.body", "body": b""})
            return
        gzipped = asset.packed is not None and b"gzip" in record.headers.get(b"accept-encoding", b"")
        body = asset.packed if gzipped and asset.packed else asset.body
        headers = [*asset.headers, (b"content-encoding", b"gzip")] if gzipped else asset.headers
        await respond(send, status, body, headers, head_only=scope["method"] == "HEAD")
