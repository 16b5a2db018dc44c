"""The page, from the folder that `make setup` builds it into."""

from pathlib import Path

from chimney.web.asgi import App, Receive, Scope, Send, respond
from chimney.web.static import StaticFiles

# nothing inline, nothing from elsewhere; markup is made by the page's own framework only (Trusted Types)
POLICY = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self';"
    " object-src 'none'; require-trusted-types-for 'script'; trusted-types svelte-trusted-html"
)
SECURITY = [
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
]
# the first parts of the paths that the page knows: those of ui/src/views/screens.ts, and the wall
SCREENS = frozenset(("", "pipelines", "deployments", "logs", "traces", "metrics", "cache", "edge", "settings", "tv"))
_UNBUILT = b"""The table runs, but its page was not built.

Build it with:  make setup
then start the table again. The API answers meanwhile: see /api/schema/openapi.json, chimney status and chimney tail.
"""


async def _unbuilt(scope: Scope, _receive: Receive, send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"), *SECURITY]
    await respond(send, 200 if scope["path"] == "/" else 404, _UNBUILT, headers, head_only=scope["method"] == "HEAD")


def page(folder: Path) -> App:
    """Answers every path that is not the API's: the page finds its screen by the address."""
    if not (folder / "index.html").is_file():
        return _unbuilt
    return StaticFiles(folder, page="/index.html", headers=SECURITY, screens=SCREENS)
