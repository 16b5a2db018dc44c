"""The REST API as GitHub serves it: limits, faults, authorization, conditional requests, renames, headers."""

from collections.abc import Callable
from urllib.parse import parse_qsl, quote

import msgspec

from chimney.standin.answers import (
    DEFAULT_VERSION,
    GZIP_FROM,
    PRETTY_AGENTS,
    VERSIONS,
    Answer,
    Ask,
    Header,
    matches,
    problem,
    redirected,
)
from chimney.standin.apps import Apps
from chimney.standin.bodies.base import View
from chimney.standin.clock import Clock
from chimney.standin.faults import Faults, Order, refusal_of
from chimney.standin.headers import Headers
from chimney.standin.ratelimit import Bucket, RateLimits
from chimney.standin.repository import RefusedError, Repository
from chimney.standin.routing import Routes, Tables
from chimney.standin.stats import Stats

GITHUB = "https://api.github.com"
RETIRED_VERSIONS = ("2021-01-01",)
KEPT_ANSWERS, KEPT_BYTES = 512, 8 << 20


class Reply(msgspec.Struct):
    """What goes on the wire."""

    status: int
    headers: list[Header]
    body: bytes


class Request(msgspec.Struct, kw_only=True):
    """What came over it."""

    method: str
    path: str
    raw_query: str
    headers: dict[bytes, bytes]
    base: str
    address: str
    body: bytes = b""

    @property
    def authorization(self) -> bytes | None:
        return self.headers.get(b"authorization")


class Api:
    """`advance` is called before each request, so that the repository is as old as the clock says."""

    def __init__(  # noqa: PLR0913 — what it is made of
        self,
        *,
        repo: Repository,
        clock: Clock,
        faults: Faults,
        stats: Stats,
        limits: RateLimits,
        token: str | None,
        apps: Apps,
        tables: Tables,
        advance: Callable[[], None],
    ) -> None:
        self._repo = repo
        self._clock = clock
        self._faults = faults
        self._stats = stats
        self._token = token
        self._apps = apps
        self._routes = Routes(tables.everywhere)
        self._repository_routes = Routes(tables.repository)
        self._elsewhere_routes = Routes(tables.elsewhere)
        self._advance = advance
        self._limits = limits
        self._answers: dict[tuple[str, str, str, str], Answer] = {}
        self._answers_bytes = 0
        self._answers_version = -1
        self._headers = Headers()
        self.base = GITHUB

    def asked_under(self, base: str) -> None:
        """Webhooks name the address that the API was last asked under; until then, that of the control."""
        if self.base == GITHUB:
            self.base = base

    def fault_for(self, request: Request) -> Order | None:
        return self._faults.take(request.path, now=self._clock.real())

    def reply(self, request: Request, fault: Order | None) -> Reply:
        """Everything but the waiting: `fault`'s delay and hanging are over when this is called."""
        self._advance()
        self.base = request.base
        now = self._clock.real()
        bucket = self._limits.bucket(request.authorization, request.address, now=now)
        answer, charged = self._answer(request, fault, bucket)
        opaque = fault is not None and fault.opaque_etags
        etag = answer.etag(request.headers, opaque=opaque) if answer.tagged else None
        not_modified = etag is not None and matches(request.headers.get(b"if-none-match"), etag)
        charged = charged and not (not_modified and request.authorization is not None)
        bucket.used += charged
        self._stats.count(request.path, charged=charged, not_modified=not_modified)
        version = request.headers.get(b"x-github-api-version", DEFAULT_VERSION.encode())
        signed = request.authorization is not None
        headers = self._headers.of(answer, bucket, signed=signed, version=version, now=now)
        if not_modified and etag is not None:
            return Reply(304, [*headers, (b"etag", b'"' + etag + b'"')], b"")
        return self._whole(request, answer, etag, headers)

    def _answer(self, request: Request, fault: Order | None, bucket: Bucket) -> tuple[Answer, bool]:
        """The answer, and whether it costs a request of the quota."""
        if not request.headers.get(b"user-agent"):
            reason = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header"
            return problem(403, reason), False
        if fault is not None:
            if fault.uses_up_the_quota:
                bucket.used = bucket.limit
            refusal = refusal_of(fault)
            if refusal is not None:
                return refusal, False
        issued = self._apps.answer(request.path, request.authorization, now=self._clock.real())
        if issued is not None:
            return issued, False
        if not self._apps.accepts(request.authorization, now=self._clock.real()):
            return problem(401, "Bad credentials"), True
        if self._token is not None and not self._accepts(request.authorization):
            return problem(401, "Bad credentials"), True
        if request.path == "/rate_limit":
            return self._rate_limit(request, bucket), False
        if bucket.remaining <= 0:
            return problem(403, f"API rate limit exceeded for {request.address}."), False
        return self._routed(request), True

    def _accepts(self, authorization: bytes | None) -> bool:
        return authorization is None or authorization.rpartition(b" ")[2] == (self._token or "").encode()

    def _rate_limit(self, request: Request, bucket: Bucket) -> Answer:
        core = bucket.body()
        resources = {"core": core, "search": core | {"limit": 30, "used": 0, "remaining": 30, "resource": "search"}}
        body: dict[str, object] = {"resources": resources}
        if request.headers.get(b"x-github-api-version", DEFAULT_VERSION.encode()) == DEFAULT_VERSION.encode():
            body["rate"] = core
        return Answer(body=msgspec.json.encode(body))

    def _routed(self, request: Request) -> Answer:
        version = request.headers.get(b"x-github-api-version", b"").decode("latin-1") or DEFAULT_VERSION
        if version in RETIRED_VERSIONS:
            return problem(410, f"API version {version} is no longer supported.")
        if version not in VERSIONS:
            return problem(400, f"{version!r} is not a valid API version. Valid versions: {', '.join(VERSIONS)}.")
        key = (request.base, request.path, request.raw_query, version)
        if self._answers_version != self._repo.version:
            self._forget()
        elif request.method in {"GET", "HEAD"} and key in self._answers:
            return self._answers[key]
        try:
            answer, may_keep = self._asked(request)
        except RefusedError as refusal:
            return problem(refusal.status, str(refusal))
        if may_keep:
            self._keep(key, answer)
        return answer

    def _forget(self) -> None:
        self._answers.clear()
        self._answers_bytes = 0
        self._answers_version = self._repo.version

    def _keep(self, key: tuple[str, str, str, str], answer: Answer) -> None:
        self._answers_bytes += len(answer.body)
        if len(self._answers) >= KEPT_ANSWERS or self._answers_bytes > KEPT_BYTES:
            self._forget()
            self._answers_bytes = len(answer.body)
        self._answers[key] = answer

    def _asked(self, request: Request) -> tuple[Answer, bool]:
        """From the endpoint. Kept only when it follows from the repository's state alone."""
        reading = request.method in {"GET", "HEAD"}
        if not reading and request.authorization is None:
            return problem(401, "Requires authentication"), False
        rest, renamed = self._inside(request.path)
        if renamed:
            query = f"?{request.raw_query}" if request.raw_query else ""
            location = f"{request.base}/repositories/{self._repo.id}{quote(rest or '')}{query}"
            return redirected(301, location), False
        routes, path = (self._routes, request.path) if rest is None else (self._repository_routes, rest)
        match = routes.match("GET" if reading else request.method, path)
        if match is None:
            raise RefusedError("Not Found", status=404)
        answer = match.route.endpoint(self._ask(request, {**match.args, "rest": rest or ""}))
        return answer, reading and not match.route.fresh

    def _ask(self, request: Request, args: dict[str, str]) -> Ask:
        return Ask(
            method=request.method, path=request.path, headers=request.headers,
            query=dict(parse_qsl(request.raw_query, keep_blank_values=True)), view=View(self._repo, request.base),
            at=self._clock.now(), real=self._clock.real(), body=request.body, args=args,
        )  # fmt: skip

    def elsewhere(self, request: Request) -> Reply | None:
        """The host that keeps the logs; None when the path is not its."""
        match = self._elsewhere_routes.match("GET" if request.method == "HEAD" else request.method, request.path)
        if match is None:
            return None
        try:
            answer = match.route.endpoint(self._ask(request, match.args))
        except RefusedError as refusal:
            answer = problem(refusal.status, str(refusal))
        length = (b"content-length", b"%d" % len(answer.body))
        body = b"" if request.method == "HEAD" else answer.body
        return Reply(answer.status, [(b"content-type", answer.content_type), length], body)

    def _inside(self, path: str) -> tuple[str | None, bool]:
        """The path below the repository (None when it is not about ours), and whether it used an old name."""
        parts = path.split("/", 4)
        if len(parts) >= 3 and parts[1] == "repositories":
            by_id = parts[2] == str(self._repo.id)
            return (path[len(f"/repositories/{parts[2]}") :] if by_id else None), False
        if len(parts) < 4 or parts[1] != "repos":
            return None, False
        name = f"{parts[2]}/{parts[3]}"
        rest = path[len(f"/repos/{name}") :]
        if name.lower() == self._repo.full_name.lower():
            return rest, False
        return (rest, True) if name.lower() in self._repo.old_names else (None, False)

    def _whole(self, request: Request, answer: Answer, etag: bytes | None, headers: list[Header]) -> Reply:
        """With gzip the validator is weak. A browser's or curl's body is spread out, under the same validator."""
        body = answer.body
        pretty = any(name in request.headers.get(b"user-agent", b"") for name in PRETTY_AGENTS)
        zipped = b"gzip" in request.headers.get(b"accept-encoding", b"") and len(body) >= GZIP_FROM
        if pretty and body and answer.content_type.startswith(b"application/json"):
            spread = Answer(body=msgspec.json.format(body, indent=2) + b"\n")
            body = spread.gzipped() if zipped else spread.body
        elif zipped:
            body = answer.gzipped()
        if zipped:
            headers.append((b"content-encoding", b"gzip"))
        if etag is not None:
            headers.append((b"etag", (b'W/"' if zipped else b'"') + etag + b'"'))
        if body:
            headers.append((b"content-type", answer.content_type))
        headers.append((b"content-length", b"%d" % len(body)))
        return Reply(answer.status, headers, b"" if request.method == "HEAD" else body)
