"""What the filters of the log may be set to, with how many records each choice would leave."""

from collections import Counter
from collections.abc import Iterable

from chimney.wire.telemetry import LEVELS, FacetCount, Facets

MOST_SOURCES = 50


def facets(counted: Iterable[tuple[str, str, int]], *, level: int, source: str | None) -> Facets:
    """`counted` is level, source and count under all filters but these two; a pair may come again."""
    levels: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    for of_level, of_source, count in counted:
        if source in (None, of_source):
            levels[of_level] += count
        if LEVELS.get(of_level, 20) >= level:
            sources[of_source] += count
    worst_first = sorted(levels.items(), key=lambda one: -LEVELS.get(one[0], 20))
    return Facets(
        levels=[FacetCount(value=value, count=count) for value, count in worst_first],
        sources=[FacetCount(value=value, count=count) for value, count in sources.most_common(MOST_SOURCES)],
    )
