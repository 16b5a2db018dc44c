"""What to do about a step on the way to an origin that does not go."""

from urllib.parse import urlsplit

from chimney.wire.check import Step, StepName

UNTRIED = "not tried: a step before it failed"


class Place:
    """An origin's address, taken apart."""

    def __init__(self, name: str, url: str) -> None:
        parts = urlsplit(url)
        self.name = name
        self.url = url
        self.host = parts.hostname or ""
        self.secure = parts.scheme == "https"
        self.port = parts.port or (443 if self.secure else 80)

    def variable(self, what: str) -> str:
        return f"CHIMNEY_TABLE_ORIGIN_{self.name.upper().replace('-', '_')}_{what}"


def remedy(step: StepName, place: Place, *, status: int | None = None) -> str:
    """One sentence or two. `status` is what the origin answered, None when it did not."""
    if step is StepName.DNS:
        return f"The name {place.host} has no address here. Mend its DNS record, or CHIMNEY_TABLE_ORIGINS."
    if step is StepName.CONNECT:
        return (
            f"Nothing takes connections at {place.host} port {place.port}. Look whether the origin or its proxy runs, "
            "listens on that address, and no firewall stands between."
        )
    if step is StepName.TLS:
        return f"Mend the certificate of {place.host}: it must be valid for this name and from an authority known here."
    if step is StepName.HEALTH:
        return _of_health(place, status)
    if step is StepName.STREAM and status is None:
        return "A proxy on the way may hold the answer back. Let it pass text/event-stream without buffering."
    return _of_token(step, place, status)


def _of_health(place: Place, status: int | None) -> str:
    if status is not None and 300 <= status < 400:
        return f"The table follows no redirect. Set the address that is redirected to in place of {place.url}."
    if status in (502, 503, 504):
        return "The proxy is there and the origin behind it is not, or it is starting. Look at the origin's own log."
    if status == 404:
        return f"Something else than an origin answers at {place.url}. Look at the address and the proxy's routes."
    return "Look at the origin's own log."


def _of_token(step: StepName, place: Place, status: int | None) -> str:
    what, setting = ("OPERATE_TOKEN", "CHIMNEY_OPERATE_TOKEN")
    if step is not StepName.OPERATE_TOKEN:
        what, setting = ("READ_TOKEN", "CHIMNEY_READ_TOKEN")
    if status in (401, 403):
        return f"Set {place.variable(what)} here to one of the tokens in {setting} at the origin."
    return "Look at the origin's own log."


def untried(steps: list[StepName], why: str = UNTRIED) -> list[Step]:
    return [Step(step=one, ok=None, detail=why) for one in steps]
