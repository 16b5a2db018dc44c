"""Badges as SVG: what stands in a README. Text from outside is escaped and bounded, and nothing is loaded for them.

They look as those of shields.io do: 20 pixels high, the label on grey, the state on its colour.
"""

from enum import StrEnum
from html import escape
from typing import NamedTuple

from chimney.core.redact import safe
from chimney.wire.deployment import Deployment, Phase
from chimney.wire.origin import OriginState

LONGEST = 40
_NARROW = frozenset("fijlrtI.,:;|!'()[]/ ")
_WIDE = frozenset("mwMW@%")


class Colour(StrEnum):
    """With 4.5:1 or more to white."""

    GOOD = "#187a3d"
    WARN = "#8a5a00"
    BAD = "#c22f32"
    RUNNING = "#2360cc"
    UNKNOWN = "#6b7280"


class Badge(NamedTuple):
    label: str
    value: str
    colour: Colour


UNKNOWN = Badge("chimney", "unknown", Colour.UNKNOWN)


def uptime(origin: OriginState) -> Badge:
    """Of 24 h, by the table's own probes."""
    share = origin.uptime_24h_pct
    if share is None:
        return Badge("uptime", "not known yet", Colour.UNKNOWN)
    shown = f"{int(share * 100) / 100:g} %"  # never rounded up to 100
    if origin.state == "down":
        return Badge("uptime", f"down, {shown}", Colour.BAD)
    colour = Colour.GOOD if share >= 99.5 else Colour.WARN if share >= 95 else Colour.BAD
    return Badge("uptime", shown, colour)


_PHASES = {
    Phase.STARTED: ("deploying", Colour.RUNNING),
    Phase.SUCCEEDED: ("deployed", Colour.GOOD),
    Phase.FAILED: ("failed", Colour.BAD),
    Phase.ROLLED_BACK: ("rolled back", Colour.WARN),
}


def deploy(origin: OriginState) -> Badge:
    status = origin.deploy
    last: Deployment | None = (status.in_progress or status.last_deploy) if status else None
    if last is None:
        return Badge("deploy", "none yet" if status else "not known yet", Colour.UNKNOWN)
    word, colour = _PHASES[last.phase]
    return Badge(last.environment, f"{word} {last.revision[:7]}", colour)


_BRANCH = {
    "green": ("passing", Colour.GOOD),
    "red": ("failing", Colour.BAD),
    "running": ("running", Colour.RUNNING),
}


def pipeline(origin: OriginState) -> Badge:
    """Of the default branch."""
    branch = origin.pipeline.default_branch if origin.pipeline else None
    if branch is None:
        return Badge("pipeline", "not known yet", Colour.UNKNOWN)
    word, colour = _BRANCH.get(branch.state, ("no run yet", Colour.UNKNOWN))
    return Badge(branch.name, word, colour)


def _width(text: str) -> float:
    """About what the text takes in Verdana at 11 pixels; `textLength` makes it so in any other font."""
    return sum(
        4.2 if char in _NARROW else 10.6 if char in _WIDE else 12.0 if ord(char) > 0x2000 else 7.0 for char in text
    )


def svg(badge: Badge) -> str:
    label, value = (safe(text, longest=LONGEST).replace("\n", " ").replace("\t", " ") for text in badge[:2])
    left, right = round(_width(label)) + 12, round(_width(value)) + 12
    said = escape(f"{label}: {value}")
    texts = "".join(
        f'<text x="{x:g}" y="14" textLength="{width - 12}">{escape(text)}</text>'
        for text, x, width in ((label, left / 2, left), (value, left + right / 2, right))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{said}">'
        f"<title>{said}</title>"
        f'<clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#40464f"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{badge.colour}"/></g>'
        f'<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">'
        f"{texts}</g></svg>"
    )
