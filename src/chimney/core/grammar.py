"""What may be asked of GitHub through us: a positive grammar of endpoints and of their queries.

Works on the raw bytes of the request, because a decoded path has already turned `%2f` into `/`. Whatever does not match
is refused before anybody upstream is asked; what matches is rebuilt from its validated segments, never passed on.
Sensitive parts of an allowed repository (hooks, keys, secrets, collaborators, traffic, …) are simply not in it.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

LONGEST_PATH = 1024
LONGEST_QUERY = 1024
_NUMBER = r"[1-9][0-9]{0,18}"
_SHA = r"[0-9a-fA-F]{4,64}"
_REF = r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9_-])?"  # Git's own rule (git-check-ref-format) is wider
_FILE = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"


class Kind(StrEnum):
    """What a path is about; decides the freshness lifetime and the queries that it takes."""

    REPOSITORY = "repository"
    PULLS = "pulls"
    PULL = "pull"
    ISSUES = "issues"
    ISSUE = "issue"
    COMMITS = "commits"
    COMMIT = "commit"
    BRANCHES = "branches"
    RUNS = "runs"
    RUN = "run"
    JOBS = "jobs"
    RELEASES = "releases"
    RELEASE = "release"
    DEPLOYMENTS = "deployments"
    LISTING = "listing"
    FIGURES = "figures"
    CONTENTS = "contents"
    RATE_LIMIT = "rate_limit"
    REPOSITORIES = "repositories"


class Endpoint(NamedTuple):
    """A path that may be asked: `path` is rebuilt, `template` has no value from outside, `repo` is None for others."""

    kind: Kind
    path: str
    template: str
    repo: str | None


class NotAllowedError(Exception):
    """Not in the grammar. The message says no more than that: whoever probes learns nothing."""


class BadQueryError(Exception):
    """A parameter that this path does not take, or a value out of bounds. `name` is the parameter."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(f"query.{name}: {detail}")
        self.name = name
        self.detail = detail


# Each row: the path below the repository with {placeholders}, and what it is. First match wins.
_ROWS: tuple[tuple[str, Kind], ...] = (
    ("", Kind.REPOSITORY),
    ("pulls", Kind.PULLS),
    ("pulls/{number}", Kind.PULL),
    ("pulls/{number}/commits", Kind.COMMITS),
    ("pulls/{number}/files", Kind.LISTING),
    ("pulls/{number}/reviews", Kind.LISTING),
    ("issues", Kind.ISSUES),
    ("issues/{number}", Kind.ISSUE),
    ("issues/{number}/comments", Kind.LISTING),
    ("issues/{number}/labels", Kind.LISTING),
    ("commits", Kind.COMMITS),
    ("commits/{sha}/check-runs", Kind.LISTING),
    ("commits/{sha}/check-suites", Kind.LISTING),
    ("commits/{sha}/status", Kind.COMMIT),
    ("commits/{sha}/pulls", Kind.PULLS),
    ("commits/{ref}", Kind.COMMIT),
    ("compare/{range}", Kind.COMMIT),
    ("branches", Kind.BRANCHES),
    ("branches/{ref}", Kind.BRANCHES),
    ("tags", Kind.LISTING),
    ("releases", Kind.RELEASES),
    ("releases/latest", Kind.RELEASE),
    ("releases/{number}", Kind.RELEASE),
    ("releases/tags/{ref}", Kind.RELEASE),
    ("actions/runs", Kind.RUNS),
    ("actions/runs/{number}", Kind.RUN),
    ("actions/runs/{number}/jobs", Kind.JOBS),
    ("actions/runs/{number}/attempts/{number}/jobs", Kind.JOBS),
    ("actions/runs/{number}/artifacts", Kind.LISTING),
    ("actions/jobs/{number}", Kind.RUN),
    ("actions/workflows", Kind.LISTING),
    ("actions/workflows/{file}/runs", Kind.RUNS),
    ("actions/artifacts", Kind.LISTING),
    ("check-runs/{number}", Kind.RUN),
    ("deployments", Kind.DEPLOYMENTS),
    ("deployments/{number}", Kind.DEPLOYMENTS),
    ("deployments/{number}/statuses", Kind.DEPLOYMENTS),
    ("labels", Kind.LISTING),
    ("milestones", Kind.LISTING),
    ("contributors", Kind.LISTING),
    ("languages", Kind.FIGURES),
    ("stats/{stat}", Kind.FIGURES),
)
_PLACEHOLDERS = {
    "number": _NUMBER,
    "sha": _SHA,
    "ref": _REF,
    "range": rf"{_REF}\.\.\.{_REF}",
    "file": _FILE,
    "stat": "participation|commit_activity|contributors|code_frequency|punch_card",
}


def _pattern(row: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", lambda match: f"(?:{_PLACEHOLDERS[match[1]]})", row))


_PATTERNS = tuple((_pattern(row), row, kind) for row, kind in _ROWS)
_CONTENTS = re.compile(rf"contents(?:/{_FILE})*")

_PAGING = frozenset(("page", "per_page", "before", "after", "since"))
_QUERIES: dict[Kind, frozenset[str]] = {
    Kind.PULLS: _PAGING | {"state", "head", "base", "sort", "direction"},
    Kind.ISSUES: _PAGING | {"state", "labels", "sort", "direction", "creator", "assignee", "mentioned", "milestone"},
    Kind.COMMITS: _PAGING | {"sha", "path", "author", "committer", "until"},
    Kind.COMMIT: frozenset(("page", "per_page")),
    Kind.BRANCHES: _PAGING | {"protected"},
    Kind.RUNS: _PAGING
    | {
        "actor",
        "branch",
        "event",
        "status",
        "created",
        "head_sha",
        "exclude_pull_requests",
        "check_suite_id",
        "workflow",
    },
    Kind.JOBS: _PAGING | {"filter"},
    Kind.RELEASES: _PAGING,
    Kind.DEPLOYMENTS: _PAGING | {"sha", "ref", "task", "environment"},
    Kind.LISTING: _PAGING | {"state", "sort", "direction", "filter", "check_name", "status", "name", "anon"},
    Kind.REPOSITORIES: _PAGING | {"type", "sort", "direction"},
    Kind.CONTENTS: frozenset(("ref",)),
}
WORKFLOW_FILE = re.compile(_FILE)
_VALUE = re.compile(r"[^\x00-\x1f\x7f]{1,256}")


def _segments(raw: bytes) -> str:
    """The path as text. Only unreserved characters and `/` pass: no escape, no control, no empty or dot segment."""
    if len(raw) > LONGEST_PATH:
        raise NotAllowedError
    text = raw.decode("ascii", "replace")
    if not re.fullmatch(r"[A-Za-z0-9._/~-]*", text):
        raise NotAllowedError
    if text and any(segment in ("", ".", "..") for segment in text.split("/")):
        raise NotAllowedError
    return text


_ESCAPED_REF = re.compile("(?:branches|commits|compare|releases/tags)/[^/]*%2[Ff][^/]*")
_SLASH = re.compile(b"%2[Ff]")


def _escaped(row: str, rest: str) -> str:
    """With a ref's slashes escaped: `branches/main/protection` is then a branch of that name, nothing below one."""
    fixed, brace, placeholder = row.partition("{")
    if not brace or placeholder not in ("ref}", "range}"):
        return rest
    return fixed + rest[len(fixed) :].replace("/", "%2F")


def below_repository(raw: bytes, repo: str, *, allow_contents: bool = False) -> Endpoint:
    """The endpoint of `repo` (owner/name) that the raw path below it means. Raises NotAllowedError."""
    of_ref = b"%" in raw and _ESCAPED_REF.fullmatch(raw.decode("ascii", "replace")) is not None
    rest = _segments(_SLASH.sub(b"/", raw) if of_ref else raw)  # as clients write it: branches/feature%2Fx
    for pattern, row, kind in _PATTERNS:
        if pattern.fullmatch(rest) and (not of_ref or row.endswith(("{ref}", "{range}"))):
            below = _escaped(row, rest)
            path = f"/repos/{repo}/{below}" if below else f"/repos/{repo}"
            return Endpoint(kind, path, f"/repos/{{repo}}/{row}" if row else "/repos/{repo}", repo)
    if allow_contents and _CONTENTS.fullmatch(rest):
        return Endpoint(Kind.CONTENTS, f"/repos/{repo}/{rest}", "/repos/{repo}/contents/{path}", repo)
    raise NotAllowedError


def full_path(raw: bytes, repos: Mapping[str, str], *, allow_contents: bool = False) -> Endpoint:
    """The endpoint that a full GitHub path means, as /api/v3 takes it. `repos` as `watched` takes them."""
    if raw == b"rate_limit":
        return Endpoint(Kind.RATE_LIMIT, "/rate_limit", "/rate_limit", None)
    first, _, rest = raw.partition(b"/")
    if first == b"repos":
        owner, _, below = rest.partition(b"/")
        name, slash, tail = below.partition(b"/")
        if slash and not tail:
            raise NotAllowedError
        return below_repository(tail, watched(owner, name, repos), allow_contents=allow_contents)
    if first == b"orgs":
        raw_org, _, tail = rest.partition(b"/")
        org = {repo.partition("/")[0]: name.partition("/")[0] for repo, name in repos.items()}.get(
            raw_org.decode("ascii", "replace").lower()
        )
        if tail == b"repos" and org is not None:
            return Endpoint(Kind.REPOSITORIES, f"/orgs/{org}/repos", "/orgs/{org}/repos", None)
    raise NotAllowedError


def watched(owner: bytes, name: bytes, repos: Mapping[str, str]) -> str:
    """`owner/name` in its one spelling. `repos` holds the spelling by the whole name in lower case, never by a prefix.

    GitHub takes a name in any case; one spelling makes one stored response of all of them.
    """
    full = f"{owner.decode('ascii', 'replace')}/{name.decode('ascii', 'replace')}"
    spelled = repos.get(full.lower())
    if spelled is None:
        raise NotAllowedError
    return spelled


def _checked(name: str, value: str, allowed: frozenset[str]) -> tuple[str, str]:
    if name not in allowed:
        raise BadQueryError(name[:64], "is not taken here")
    if not _VALUE.fullmatch(value):
        raise BadQueryError(name, "should be 1 to 256 characters, none of them a control character")
    if name in ("page", "per_page"):
        highest = 100 if name == "per_page" else 10_000
        if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= highest:
            raise BadQueryError(name, f"should be a number from 1 to {highest}")
        value = str(int(value))
    return name, value


def normalise_query(kind: Kind, raw: bytes) -> str:
    """The query that goes upstream and into the key: allowed names, each once, sorted, encoded anew. Empty when none.

    Raises BadQueryError. Parsed by raw bytes: an escaped `&` stays part of its value.
    """
    if not raw:
        return ""
    if len(raw) > LONGEST_QUERY:
        raise BadQueryError("*", f"is longer than {LONGEST_QUERY} bytes")
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except (ValueError, UnicodeDecodeError):
        raise BadQueryError("*", "is not a query string") from None
    allowed = _QUERIES.get(kind, frozenset())
    checked = dict(_checked(name, value, allowed) for name, value in pairs)
    if len(checked) != len(pairs):
        raise BadQueryError("*", "names a parameter twice")
    return urlencode(sorted(checked.items()), quote_via=quote)
