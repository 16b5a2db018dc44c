"""What the origin says about itself."""

import asyncio
import time

import httpx2
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain
from tests.conftest import REPO, Ask, MakeOrigin, until
from tests.fakes.github import GitHub, says
from tests.fakes.hostile import HOSTILE

from chimney import __version__
from chimney.origin.app import Origin
from chimney.web.app import Phase

NOW_EXISTING = {
    "chimney_requests_total", "chimney_request_duration_seconds", "chimney_errors_total",
    "chimney_cache_requests_total", "chimney_cache_entries", "chimney_cache_age_seconds",
    "chimney_github_requests_total", "chimney_github_rate_limit_remaining", "chimney_github_rate_limit_limit",
    "chimney_github_rate_limit_reset_timestamp_seconds", "chimney_dragonfly_up", "chimney_panics_total",
    "chimney_deployments_total", "chimney_streams", "chimney_stream_dropped_total", "chimney_log_records_total",
    "chimney_uptime_seconds", "chimney_build_info",
}  # fmt: skip
OPENMETRICS = {"accept": "application/openmetrics-text; version=1.0.0"}


async def settled(origin: Origin) -> None:
    """Every request so far is counted."""
    await until(lambda: not origin._pipe._pending and not origin._pipe._scheduled)


async def samples(visitor: httpx2.AsyncClient) -> dict[str, dict[frozenset[tuple[str, str]], float]]:
    told: dict[str, dict[frozenset[tuple[str, str]], float]] = {}
    for family in plain((await visitor.get("/api/metrics")).text):
        for sample in family.samples:
            told.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return told


async def test_healthz_has_the_fields_of_the_contract(origin: Origin, visitor: httpx2.AsyncClient) -> None:
    await visitor.get("/api/github/pulls")
    answer = await visitor.get("/healthz")
    told = answer.json()
    assert (answer.status_code, told["status"], told["version"], told["repo"]) == (200, "ok", __version__, REPO)
    assert told["dragonfly"]["status"] == "not_configured"
    assert told["cache"].keys() >= {"entries", "bytes", "hits", "misses", "hit_rate_pct"}
    assert told["github"].keys() >= {"last_success_at", "seconds_since_success", "rate_limit", "authenticated"}
    assert told["github"]["rate_limit"].keys() == {"limit", "remaining", "reset_at", "resource"}
    assert told["github"]["authenticated"] is True
    assert told.keys() >= {"slot", "uptime_seconds", "logs", "streams", "boot", "environment", "panics", "loops"}
    assert answer.headers["cache-control"] == "no-store"


async def test_a_github_that_fails_makes_the_origin_degraded_and_says_why(make_origin: MakeOrigin, asking: Ask) -> None:
    origin = await make_origin(transport=GitHub(says(status=500), says()), github_token=None)
    visitor = asking(origin)
    await visitor.get("/api/github/pulls")
    told = (await visitor.get("/healthz")).json()
    assert (told["status"], told["github"]["problem"]) == ("degraded", "unexpected: GitHub answered 500")
    await visitor.get("/api/github/issues")
    assert (await visitor.get("/healthz")).json()["status"] == "ok"


async def test_health_is_told_at_once_also_while_github_hangs(make_origin: MakeOrigin, asking: Ask) -> None:
    github = GitHub()
    github.gate.clear()
    visitor = asking(await make_origin(transport=github))
    waiting = asyncio.create_task(visitor.get("/api/github/pulls"))
    await until(lambda: github.asked)
    for path in ("/healthz", "/livez", "/readyz", "/api/version", "/api/metrics", "/api/deploy/status"):
        began = time.monotonic()
        assert (await visitor.get(path)).status_code == 200
        assert time.monotonic() - began < 5
    github.gate.set()
    assert (await waiting).status_code == 200


async def test_readiness_follows_the_phase_and_liveness_does_not(origin: Origin, visitor: httpx2.AsyncClient) -> None:
    for phase, ready in ((Phase.READY, 200), (Phase.DRAINING, 503), (Phase.STARTING, 503)):
        origin.shell.phase = phase
        assert (await visitor.get("/readyz")).status_code == ready
        assert (await visitor.get("/healthz")).status_code == ready
        assert (await visitor.get("/livez")).status_code == 200
    origin.shell.phase = Phase.READY


async def test_the_version_tells_what_runs_here(make_origin: MakeOrigin, asking: Ask) -> None:
    visitor = asking(await make_origin(slot="blue", revision="a" * 40))
    await visitor.get("/api/pipeline/summary")
    told = (await visitor.get("/api/version")).json()
    assert told.keys() == {"chimney_version", "repo", "release", "revision", "slot"}
    assert (told["chimney_version"], told["repo"], told["slot"]) == (__version__, REPO, "blue")
    assert told["revision"] == "a" * 40
    assert told["release"].keys() == {"tag", "published_at"}


async def test_the_metrics_of_the_contract_are_there_in_both_formats(
    origin: Origin, visitor: httpx2.AsyncClient
) -> None:
    await visitor.get("/api/github/pulls")
    await settled(origin)
    answer = await visitor.get("/api/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    typed = {line.split()[2] for line in answer.text.splitlines() if line.startswith("# TYPE")}
    assert typed >= NOW_EXISTING
    assert list(plain(answer.text))
    told = await visitor.get("/api/metrics", headers=OPENMETRICS)
    assert told.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    names = {family.name for family in openmetrics(told.text)}  # type: ignore[no-untyped-call]
    assert names >= {name.removesuffix("_total") for name in NOW_EXISTING}


async def test_what_was_asked_is_counted(origin: Origin, visitor: httpx2.AsyncClient) -> None:
    for _ in range(3):
        await visitor.get("/api/github/pulls")
    await visitor.get("/healthz")
    await visitor.post("/api/deploy/events", json={"phase": "started", "revision": "a" * 40})
    await settled(origin)
    told = await samples(visitor)
    requests = {
        (dict(labels)["route"], dict(labels)["status_class"]): n for labels, n in told["chimney_requests_total"].items()
    }
    assert requests["/api/github/repos/{repo}/pulls", "2xx"] == 3
    assert requests["/healthz", "2xx"] == 1
    cache = {dict(labels)["result"]: n for labels, n in told["chimney_cache_requests_total"].items()}
    assert cache["hit"] == 2
    assert sum(cache.values()) == 3
    assert told["chimney_deployments_total"] == {frozenset({("phase", "started")}): 1}
    assert next(iter(told["chimney_github_requests_total"].values())) >= 1
    [build] = told["chimney_build_info"]
    assert dict(build)["version"] == __version__


async def test_a_hostile_path_method_or_header_adds_no_label_value(origin: Origin, visitor: httpx2.AsyncClient) -> None:
    async def labels() -> set[frozenset[tuple[str, str]]]:
        await settled(origin)
        return {one for by_labels in (await samples(visitor)).values() for one in by_labels}

    for path in ("/nothing", "/api/github/hooks", "/api/v3/x", "/api/logs"):
        await visitor.get(path)
    await visitor.request("BREW", "/nothing")
    await labels()
    before = await labels()
    for below in HOSTILE[:40]:
        path = below.decode("latin-1").split("\r")[0].replace("\x00", "").replace("\t", "")[:2000]
        for prefix in ("/", "/api/github/", "/api/v3/"):
            await visitor.get(httpx2.URL("http://origin.localhost" + prefix).join(f"{prefix}x{path}"))
    for method in ("BREW", "PROPFIND", "X" * 100):
        await visitor.request(method, "/nothing")
    assert await labels() == before


async def test_panics_are_counted_and_told(origin: Origin, visitor: httpx2.AsyncClient) -> None:
    origin.github.pipeline.repos = None  # type: ignore[assignment]
    answer = await visitor.get("/api/repos")
    assert answer.status_code == 500
    assert answer.json()["instance"] == answer.headers["x-request-id"]
    await settled(origin)
    told = await samples(visitor)
    assert told["chimney_panics_total"] == {frozenset(): 1}
    assert told["chimney_errors_total"] == {frozenset({("route", "/api/repos")}): 1}
    assert (await visitor.get("/healthz")).json()["panics"] == 1


@pytest.mark.parametrize("prefix", ["/", "/index.html"])
async def test_a_dashboard_is_served_beside_the_api(
    make_origin: MakeOrigin, asking: Ask, tmp_path_factory: pytest.TempPathFactory, prefix: str
) -> None:
    site = tmp_path_factory.mktemp("site")
    (site / "index.html").write_text("<h1>ours</h1>")
    visitor = asking(await make_origin(site_dir=site))
    assert (await visitor.get(prefix)).text == "<h1>ours</h1>"
    assert (await visitor.get("/nothing")).status_code == 404
    assert (await visitor.get("/healthz")).headers["content-type"] == "application/json"
    assert (await visitor.get("/api/nothing")).headers["content-type"] == "application/problem+json"
    assert (await visitor.post("/")).status_code in (404, 405)
