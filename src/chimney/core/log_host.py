"""From which hosts the text of a job's log is fetched. Pure.

GitHub redirects to storage that is not its API; a redirect can say anything, so only its own storage is believed, or
the API's own host (GitHub Enterprise Server without external storage, and the stand-in).
"""

from urllib.parse import urlsplit

STORAGE = (".blob.core.windows.net", ".actions.githubusercontent.com")


def may_fetch(location: str, *, api_url: str) -> bool:
    """Whether a log may be fetched from `location`, to which the API at `api_url` redirected. Never with a token."""
    try:
        there, api = urlsplit(location), urlsplit(api_url)
        host, port = there.hostname or "", there.port
    except ValueError:
        return False
    if there.username is not None or there.password is not None:
        return False
    if (there.scheme, there.netloc) == (api.scheme, api.netloc):
        return True
    return there.scheme == "https" and port in (None, 443) and host.endswith(STORAGE)
