import xml.etree.ElementTree as ET  # of our own making

import pytest
from tests.core.origins import deployment, deploys, pipeline, run, stream

from chimney.core.badge import Badge, Colour, deploy, svg, uptime
from chimney.core.badge import pipeline as pipeline_badge
from chimney.wire.deployment import Phase
from chimney.wire.origin import OriginState

SVG = "{http://www.w3.org/2000/svg}"


def state(**more: object) -> OriginState:
    usual: dict[str, object] = {
        "name": "hel1",
        "url": "http://hel1",
        "state": "up",
        "reason": None,
        "last_contact_at": None,
        "latency_ms": None,
        "health": None,
        "deploy": None,
        "pipeline": None,
        "stream": stream(),
        "uptime_24h_pct": None,
        "uptime_bars": [],
        "demonstration": False,
    }
    return OriginState(**{**usual, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("share", "value", "colour"),
    [
        (100.0, "100 %", Colour.GOOD),
        (99.999, "99.99 %", Colour.GOOD),
        (99.4, "99.4 %", Colour.WARN),
        (80.0, "80 %", Colour.BAD),
        (None, "not known yet", Colour.UNKNOWN),
    ],
)
def test_uptime_is_never_rounded_up(share: float | None, value: str, colour: Colour) -> None:
    assert uptime(state(uptime_24h_pct=share)) == Badge("uptime", value, colour)


def test_an_origin_that_is_down_says_so_before_its_uptime() -> None:
    assert uptime(state(state="down", uptime_24h_pct=99.9)) == Badge("uptime", "down, 99.9 %", Colour.BAD)


@pytest.mark.parametrize(
    ("phase", "value"),
    [
        (Phase.STARTED, "deploying aaaaaaa"),
        (Phase.SUCCEEDED, "deployed aaaaaaa"),
        (Phase.FAILED, "failed aaaaaaa"),
        (Phase.ROLLED_BACK, "rolled back aaaaaaa"),
    ],
)
def test_the_last_deployment_by_its_phase(phase: Phase, value: str) -> None:
    assert deploy(state(deploy=deploys(deployment(phase=phase))))[:2] == ("production", value)


def test_nothing_deployed_and_nothing_known_are_told_apart() -> None:
    assert deploy(state(deploy=deploys())).value == "none yet"
    assert deploy(state()).value == "not known yet"


@pytest.mark.parametrize(("branch", "value"), [("green", "passing"), ("red", "failing"), ("unknown", "no run yet")])
def test_the_default_branch_by_its_state(branch: str, value: str) -> None:
    assert pipeline_badge(state(pipeline=pipeline(run(), state=branch)))[:2] == ("main", value)


@pytest.mark.parametrize(
    "hostile",
    ["<script>alert(1)</script>", '"/><image href="http://evil/"/>', "\ud800\x00\x1b[31m", "\u202e]]>", "x" * 9999],
)
def test_hostile_text_is_text(hostile: str) -> None:
    root = ET.fromstring(svg(Badge(hostile, hostile, Colour.BAD)))
    assert {one.tag.removeprefix(SVG) for one in root.iter()} == {"svg", "title", "clipPath", "rect", "g", "text"}
    assert not any("href" in name for one in root.iter() for name in one.attrib)
    assert int(root.attrib["width"]) < 2_000


def test_a_badge_loads_nothing() -> None:
    drawn = svg(Badge("uptime", "100 %", Colour.GOOD))
    assert drawn.count("http") == 1  # the name of SVG itself
    assert "style" not in drawn
