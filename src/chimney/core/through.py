"""Which of an origin's answers people who look at the table may read through it. Pure."""

from urllib.parse import quote

# Below the origin's /api: what is named here or below it. All of it is read or public there; nothing here acts.
READABLE = (
    "cache/stats",
    "deploy/diff",
    "deploy/events",
    "deploy/status",
    "edge",
    "github",
    "health/history",
    "log-level",
    "logs/caddy",
    "pipeline/jobs",
    "pipeline/summary",
    "repos",
    "version",
    "webhooks/deliveries",
)
LONGEST = 1_000


def readable(path: str) -> str | None:
    """The path at the origin, rebuilt from its segments; None when it may not be read. Streams are not among them."""
    parts = path.strip("/").split("/")
    if len(path) > LONGEST or any(part in ("", ".", "..") for part in parts):
        return None
    below = "/".join(parts)
    if below.endswith("/stream") or not any(below == one or below.startswith(f"{one}/") for one in READABLE):
        return None
    return "/api/" + "/".join(quote(part, safe="") for part in parts)
