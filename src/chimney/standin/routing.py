"""From a path to the function that answers it: literal segments and `{names}`; `{name...}` takes slashes too."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from chimney.standin.answers import Answer, Ask

Endpoint = Callable[[Ask], Answer]


class Route(NamedTuple):
    """`fresh`: the answer depends on more than the repository's state, so it is made anew each time."""

    method: str
    path: str
    endpoint: Endpoint
    fresh: bool = False


class Tables(NamedTuple):
    """`repository` paths are below a repository's, `elsewhere` those that GitHub serves from another host."""

    everywhere: Iterable[Route]
    repository: Iterable[Route]
    elsewhere: Iterable[Route]


class Match(NamedTuple):
    route: Route
    args: dict[str, str]


class Routes:
    """The first route that matches wins. Looked up by method and first segment, then tried in order."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_start: dict[tuple[str, str], list[tuple[re.Pattern[str], Route]]] = defaultdict(list)
        for route in routes:
            pattern = re.compile(_pattern(route.path))
            self._by_start[route.method, _start(route.path)].append((pattern, route))

    def match(self, method: str, path: str) -> Match | None:
        for pattern, route in self._by_start.get((method, _start(path)), ()):
            found = pattern.fullmatch(path)
            if found:
                return Match(route, found.groupdict())
        return None


def _start(path: str) -> str:
    return path.split("/", 2)[1] if path else ""


def _pattern(path: str) -> str:
    parts = re.split(r"\{(\w+(?:\.\.\.)?)\}", path)
    return "".join(_group(part) if index % 2 else re.escape(part) for index, part in enumerate(parts))


def _group(name: str) -> str:
    if name.endswith("..."):
        return f"(?P<{name[:-3]}>.+)"
    return f"(?P<{name}>[^/]+)"
