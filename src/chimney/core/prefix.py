"""What an operator types for a part of GitHub's data, as the prefix of the keys that it means.

Said as GitHub's own path (`/repos/o/r/pulls`), as one below the main repository (`pulls`), or as an address of this
origin (`/api/github/pulls`). With a query it is one key.
"""

import re
from collections.abc import Mapping

from chimney.core.grammar import LONGEST_PATH, LONGEST_QUERY, NotAllowedError, below_repository

_PATH = re.compile(r"[A-Za-z0-9._~%/-]+")
_QUERY = re.compile(r"[!-~]+")
_OURS = ("/api/github", "/api/v3")


class BadPrefixError(Exception):
    """The message says what is wrong with it."""


def prefix_of(said: str, *, repo: str | None, repos: Mapping[str, str]) -> str:
    """`repo` is the main repository, `repos` holds the spelling of every watched one by its name in lower case."""
    path, mark, query = said.partition("?")
    if len(path) > LONGEST_PATH or not _PATH.fullmatch(path) or path == "/":
        raise BadPrefixError("should be a path such as pulls or /repos/owner/name/pulls; to remove everything say all")
    if mark and (len(query) > LONGEST_QUERY or not _QUERY.fullmatch(query)):
        raise BadPrefixError("has a query that no key has")
    below = next((path[len(ours) :] for ours in _OURS if path == ours or path.startswith(ours + "/")), path)
    segments = below.strip("/").split("/") if below.strip("/") else []
    if "//" in path or "." in segments or ".." in segments:
        raise BadPrefixError("has an empty or a dot segment")
    return _whole(segments, repo, repos) + mark + query


def _whole(segments: list[str], repo: str | None, repos: Mapping[str, str]) -> str:
    if segments[:1] in (["orgs"], ["rate_limit"]) or (segments[:1] == ["repos"] and len(segments) < 3):
        return "/" + "/".join(segments)
    named = segments[1:] if segments[:1] == ["repos"] else segments
    full = "/".join(named[:2])
    if segments[:1] == ["repos"] or full.lower() in repos:
        return _in(repos.get(full.lower(), full), named[2:])
    if repo is None:
        raise BadPrefixError("should be a whole path such as /repos/owner/name/pulls, because CHIMNEY_REPO is not set")
    return _in(repo, segments)


def _in(repo: str, segments: list[str]) -> str:
    """As the grammar spells it, where slashes in the name of a branch are escaped; else as it was said."""
    rest = "/".join(segments)
    try:
        return below_repository(rest.encode(), repo).path
    except NotAllowedError:
        return f"/repos/{repo}/{rest}"
