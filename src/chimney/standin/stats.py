"""What was asked of the stand-in, for those who count."""

from collections import Counter

KEPT_PATHS = 2_000
OTHER = "(other)"


class Stats:
    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.requests = self.charged = self.not_modified = 0
        self.by_path: Counter[str] = Counter()

    def count(self, path: str, *, charged: bool, not_modified: bool) -> None:
        self.requests += 1
        self.charged += charged
        self.not_modified += not_modified
        known = path in self.by_path or len(self.by_path) < KEPT_PATHS
        self.by_path[path if known else OTHER] += 1

    def body(self) -> dict[str, object]:
        return {
            "requests": self.requests,
            "charged": self.charged,
            "not_modified": self.not_modified,
            "by_path": dict(self.by_path.most_common()),
        }
