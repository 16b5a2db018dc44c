"""Asks and answers in GitHub's manner: validators, `Vary`, paging, errors.

The ETag follows the rule found by bored-engineer/github-conditional-http-transport: SHA-256 over the values of
`Accept`, `Authorization` and `Cookie`, each followed by a colon when present, then over the uncompressed body.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import quote

import msgspec

from chimney.standin.bodies.base import View
from chimney.standin.repository import RefusedError, Repository

DEFAULT_VERSION, NEW_VERSION = "2022-11-28", "2026-03-10"
VERSIONS = (NEW_VERSION, DEFAULT_VERSION)
JSON = b"application/json; charset=utf-8"
DOCS = "https://docs.github.com/rest"
PRETTY_AGENTS = (b"curl", b"Wget", b"Safari", b"Firefox")
DEFAULT_PER_PAGE, MAX_PER_PAGE = 30, 100
GZIP_FROM = 128  # bytes: below, gzip only makes it longer
KEPT_VALIDATORS = 64  # of one body: one for each token and Accept

Header = tuple[bytes, bytes]


@dataclass(slots=True, kw_only=True)
class Ask:
    """One request, parsed. `at` is virtual time, `real` the clock on the wall."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[bytes, bytes]
    view: View
    at: float
    real: float
    body: bytes = b""
    args: dict[str, str] = field(default_factory=dict)

    @property
    def repo(self) -> Repository:
        return self.view.repo

    @property
    def signed(self) -> bool:
        return b"authorization" in self.headers

    @property
    def version(self) -> str:
        return self.headers.get(b"x-github-api-version", b"").decode("latin-1") or DEFAULT_VERSION

    def number(self, name: str) -> int:
        """A path argument that must be a number, else there is nothing there."""
        text = self.args[name]
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise missing()
        return int(text)

    def count(self, name: str, default: int) -> int:
        """A query's number; `default` when it is absent, 0 or nonsense."""
        text = self.query.get(name, "")
        return (int(text) or default) if text.isascii() and text.isdigit() and len(text) < 19 else default

    def json(self) -> dict[str, object]:
        """The body as an object; no body is an empty one."""
        try:
            return msgspec.json.decode(self.body or b"{}", type=dict[str, object])
        except msgspec.DecodeError as error:
            raise RefusedError(f"Problems parsing JSON: {error}", status=400) from None


@dataclass(slots=True, kw_only=True)
class Answer:
    status: int = 200
    body: bytes = b""
    content_type: bytes = JSON
    headers: tuple[Header, ...] = ()
    tagged: bool = False
    _gzipped: bytes | None = None
    _etags: dict[tuple[bytes, ...], bytes] = field(default_factory=dict)

    def gzipped(self) -> bytes:
        if self._gzipped is None:
            packer = zlib.compressobj(4, zlib.DEFLATED, 31)
            self._gzipped = packer.compress(self.body) + packer.flush()
        return self._gzipped

    def etag(self, headers: Mapping[bytes, bytes], *, opaque: bool = False) -> bytes:
        """The 64 hexadecimal digits, without quotes. `opaque`: by a recipe that nobody outside knows."""
        named = (b"accept", b"authorization", b"cookie")
        key = (*(headers.get(name, b"") for name in named), b"opaque" if opaque else b"")
        known = self._etags.get(key)
        if known is None:
            digest = sha256(b"".join(headers[name] + b":" for name in named if name in headers))
            digest.update(self.body + key[-1])
            if len(self._etags) >= KEPT_VALIDATORS:
                self._etags.clear()
            known = self._etags[key] = digest.hexdigest().encode()
        return known


def found(value: object, *, link: str | None = None) -> Answer:
    """A 200 with a validator."""
    headers = ((b"link", link.encode()),) if link else ()
    return Answer(body=msgspec.json.encode(value), headers=headers, tagged=True)


def done(status: int, value: object = None) -> Answer:
    """The answer to a write; without a value an empty body."""
    return Answer(status=status, body=b"" if value is None else msgspec.json.encode(value))


def redirected(status: int, location: str) -> Answer:
    headers = ((b"location", location.encode()),)
    if status != 301:
        return Answer(status=status, headers=headers, content_type=b"text/html;charset=utf-8")
    body = {"message": "Moved Permanently", "url": location, "documentation_url": DOCS}
    return Answer(status=301, body=msgspec.json.encode(body), headers=headers)


def problem(status: int, message: str, *, headers: tuple[Header, ...] = ()) -> Answer:
    body = {"message": message, "documentation_url": DOCS, "status": str(status)}
    return Answer(status=status, body=msgspec.json.encode(body), headers=headers)


def missing() -> RefusedError:
    """GitHub says only that there is nothing, never why."""
    return RefusedError("Not Found", status=404)


def matches(if_none_match: bytes | None, etag: bytes) -> bool:
    """RFC 9110 §13.1.2: weak comparison, or `*`."""
    if if_none_match is None:
        return False
    offered = (one.strip().removeprefix(b"W/").strip(b'"') for one in if_none_match.split(b","))
    return any(one in (etag, b"*") for one in offered)


def page_of(ask: Ask) -> tuple[int, int]:
    """`(page, per_page)`: nonsense means the default, too much means the most."""
    return max(1, ask.count("page", 1)), min(MAX_PER_PAGE, ask.count("per_page", DEFAULT_PER_PAGE))


def page_link(ask: Ask, total: int) -> str | None:
    """The `Link` header of this page, None when there is only one. Addresses are absolute and by repository id."""
    page, per_page = page_of(ask)
    last = max(1, -(-total // per_page))
    targets: list[tuple[str, int]] = []
    if page > 1:
        targets.append(("prev", min(page - 1, last)))
    if page < last:
        targets += [("next", page + 1), ("last", last)]
    if page > 1:
        targets.append(("first", 1))
    return ", ".join(f'<{_paged(ask, number)}>; rel="{rel}"' for rel, number in targets) or None


def _paged(ask: Ask, page: int) -> str:
    query = {**ask.query, "page": str(page)}
    pairs = "&".join(f"{quote(key)}={quote(value)}" for key, value in query.items())
    return f"{by_id(ask)}?{pairs}"


def by_id(ask: Ask) -> str:
    """The address of the path asked for, with the repository named by its id."""
    rest = ask.args.get("rest", "")
    return f"{ask.view.base}/repositories/{ask.repo.id}{quote(rest)}"
