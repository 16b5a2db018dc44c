"""What of an origin may be read through the table."""

import pytest

from chimney.core.through import readable


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("edge", "/api/edge"),
        ("/github/actions/runs/7/jobs", "/api/github/actions/runs/7/jobs"),
        ("github/acme/rocket/pulls", "/api/github/acme/rocket/pulls"),
        ("github/branches/a b?c#d", "/api/github/branches/a%20b%3Fc%23d"),
        ("pipeline/jobs/7/log", "/api/pipeline/jobs/7/log"),
        ("logs/caddy", "/api/logs/caddy"),
    ],
)
def test_a_path_is_rebuilt_from_its_segments(path: str, asked: str) -> None:
    assert readable(path) == asked


@pytest.mark.parametrize(
    "path",
    [
        "",
        "logs",
        "logs/stream",
        "logs/caddy/stream",
        "audit",
        "edge/../logs",
        "github/..",
        "github//pulls",
        "./edge",
        "edgeless",
        "metrics",
        "events",
        "github/" + "x" * 1_000,
    ],
)
def test_nothing_else_is_read(path: str) -> None:
    assert readable(path) is None
