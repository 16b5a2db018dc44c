"""The words of a small team that runs a ferry timetable: believable people, changes and bugs."""

from chimney.standin.model import JobPlan, Label, User, Workflow

REPOSITORY = "saltmarsh/ferrytimes"
DESCRIPTION = "Live ferry departures, delays and tickets for the estuary"
HOMEPAGE = "https://ferrytimes.example"
TOPICS = ("timetable", "ferry", "realtime", "fastapi", "svelte")
LANGUAGES = {
    "Python": 412_806,
    "TypeScript": 188_213,
    "Svelte": 97_440,
    "CSS": 31_902,
    "Shell": 8_114,
    "Dockerfile": 2_087,
}

PEOPLE = tuple(
    User(id=id_, login=login, name=name, email=f"{login}@users.noreply.github.com")
    for id_, login, name in (
        (1_842_117, "mirelavance", "Mirela Vance"),
        (2_390_441, "oskar-lind", "Oskar Lind"),
        (4_117_905, "tambeki", "Tam Beki"),
        (7_730_268, "annaquist", "Anna Quist"),
        (9_604_512, "pdelacroix", "Paul Delacroix"),
        (12_208_977, "yukohara", "Yuko Hara"),
    )
)
DEPENDABOT = User(
    id=49_699_333, login="dependabot[bot]", name="dependabot[bot]",
    email="49699333+dependabot[bot]@users.noreply.github.com", type="Bot",
)  # fmt: skip
ACTIONS = User(
    id=41_898_282, login="github-actions[bot]", name="github-actions[bot]",
    email="41898282+github-actions[bot]@users.noreply.github.com", type="Bot",
)  # fmt: skip

LABELS = tuple(
    Label(id=5_210_440_000 + 17 * index, name=name, color=color, description=description)
    for index, (name, color, description) in enumerate((
        ("type:bug", "d73a4a", "Something is not working"),
        ("type:feature", "0e8a16", "New behaviour"),
        ("type:chore", "c5def5", "Upkeep"),
        ("area:api", "1d76db", "The JSON API"),
        ("area:ui", "5319e7", "What passengers see"),
        ("area:deploy", "fbca04", "Pipeline, slots, servers"),
        ("dependencies", "0366d6", "Updates a dependency"),
        ("good first issue", "7057ff", "Good for newcomers"),
        ("priority:high", "b60205", "Before anything else"),
    ))
)  # fmt: skip
LABEL = {label.name: label for label in LABELS}

_UBUNTU = ("Check out", "Set up Python", "Install dependencies")
CI = Workflow(
    id=61_204_118, name="CI", path=".github/workflows/ci.yml",
    jobs=(
        JobPlan(name="lint", steps=(*_UBUNTU, "Ruff", "Types"), seconds=70, fails_at=4),
        JobPlan(name="test", steps=(*_UBUNTU, "Unit tests", "Coverage"), seconds=210, fails_at=3),
        JobPlan(name="browser", steps=(*_UBUNTU, "Install Chromium", "Playwright"), seconds=290, fails_at=4),
        JobPlan(name="build", steps=("Check out", "Set up Buildx", "Build image"), seconds=150, fails_at=2),
    ),
)  # fmt: skip
DEPLOY = Workflow(
    id=61_204_240, name="Deploy", path=".github/workflows/deploy.yml",
    jobs=(
        JobPlan(
            name="deploy",
            steps=("Check out", "Log in to registry", "Push image", "Start idle slot", "Smoke test", "Switch"),
            seconds=140, fails_at=4, environment="production",
        ),
    ),
)  # fmt: skip
NIGHTLY = Workflow(
    id=61_377_902, name="Nightly", path=".github/workflows/nightly.yml",
    jobs=(
        JobPlan(name="timetable import", steps=(*_UBUNTU, "Import feeds", "Compare"), seconds=520, fails_at=3),
        JobPlan(name="audit", steps=(*_UBUNTU, "Audit dependencies"), seconds=60, fails_at=3),
    ),
)  # fmt: skip
WORKFLOWS = (CI, DEPLOY, NIGHTLY)

# (title, branch, label): a title is used again only after all the others
CHANGES = (
    ("Show cancelled sailings on the timetable", "feat/cancelled-sailings", "type:feature"),
    ("Cache tide tables for an hour", "perf/cache-tides", "type:chore"),
    ("Let passengers filter by vehicle deck", "feat/vehicle-deck", "type:feature"),
    ("Answer 304 when the timetable has not changed", "perf/conditional-get", "type:feature"),
    ("Move delay estimates to their own module", "refactor/delay-estimates", "type:chore"),
    ("Keep the last known position of a vessel", "feat/last-position", "type:feature"),
    ("Retry the harbour feed with back-off", "fix/feed-backoff", "type:bug"),
    ("Read platform numbers from the new feed", "feat/platforms", "type:feature"),
    ("Wait for the smoke test before switching slots", "deploy/smoke-first", "area:deploy"),
    ("Translate departure notices to Danish", "feat/danish-notices", "type:feature"),
    ("Drop the unused fares table", "chore/drop-fares", "type:chore"),
    ("Refuse tickets for past departures", "fix/past-tickets", "type:bug"),
    ("Make the departures board readable at night", "ui/night-board", "area:ui"),
    ("Log the request id with every error", "obs/request-id", "type:chore"),
    ("Add a health check that asks the database", "feat/deep-health", "area:deploy"),
    ("Page through bookings with a cursor", "feat/booking-cursor", "area:api"),
    ("Round waiting times up, not down", "fix/rounding", "type:bug"),
    ("Send push notices ten minutes before departure", "feat/push-notices", "type:feature"),
    ("Speed up the route search with an index", "perf/route-index", "type:chore"),
    ("Use the vessel's own clock for arrivals", "fix/vessel-clock", "type:bug"),
    ("Show the crossing on a map", "feat/crossing-map", "area:ui"),
    ("Stop polling when the tab is hidden", "perf/hidden-tab", "area:ui"),
    ("Validate harbour codes at the edge", "fix/harbour-codes", "area:api"),
    ("Drain connections before stopping a slot", "deploy/drain", "area:deploy"),
    ("Group departures by pier", "ui/group-by-pier", "area:ui"),
    ("Export the timetable as iCalendar", "feat/ical", "type:feature"),
    ("Close the feed when the harbour does", "fix/feed-close", "type:bug"),
    ("Put weather warnings above the board", "ui/weather-warnings", "area:ui"),
    ("Limit searches per visitor", "feat/search-limit", "area:api"),
    ("Test the winter timetable", "test/winter", "type:chore"),
    ("Count seats once when a booking is retried", "fix/double-count", "type:bug"),
    ("Prerender the three busiest routes", "perf/prerender", "type:chore"),
    ("Name the slot in the version answer", "deploy/slot-version", "area:deploy"),
    ("Explain delays in plain words", "feat/plain-delays", "type:feature"),
    ("Keep the scroll position when the board refreshes", "fix/scroll-jump", "area:ui"),
    ("Split the importer into read and write", "refactor/importer", "type:chore"),
)
UPDATES = (
    ("httpx", 27, 28), ("pydantic", 12, 14), ("svelte", 38, 43), ("vite", 6, 7), ("sqlalchemy", 40, 44),
    ("uvicorn", 34, 37), ("playwright", 60, 65), ("ruff", 14, 17),
)  # fmt: skip
BUGS = (
    "Departures board shows yesterday after midnight",
    "Search for island harbours returns nothing",
    "Ticket PDF has no barcode on Android",
    "Delay of 0 minutes is shown as delayed",
    "500 when a crossing has no vessel assigned",
    "Times are an hour off after the clock change",
    "Map does not load behind a strict proxy",
    "Bookings list loops when a page is empty",
    "Cancelled sailing still sells tickets",
    "Health check passes while the feed is dead",
    "Danish letters broken in e-mail subjects",
    "Board flickers when the connection drops",
)
WISHES = (
    "Support season tickets",
    "Offer the timetable as GTFS",
    "Remember the last route searched",
    "Document how the slots are switched",
    "Show how full the car deck is",
    "Let staff announce a replacement vessel",
    "Alert when the harbour feed is silent",
    "Move the importer off cron",
    "Keyboard navigation on the board",
    "Try HTTP/3 at the edge",
    "Add a status page for passengers",
    "Fewer words in delay notices",
)
FOLLOW_UPS = (
    "Address review",
    "Cover the empty case",
    "Say why",
    "Fix the types",
    "Tidy up",
    "Handle a missing vessel",
)
MENDS = ("Fix the build on main", "Mend the broken import", "Restore the old default", "Wait for the fixture in tests")

FILES = (
    "ferrytimes/api/departures.py", "ferrytimes/api/bookings.py", "ferrytimes/feed/harbour.py",
    "ferrytimes/feed/tides.py", "ferrytimes/search.py", "ferrytimes/delays.py", "ferrytimes/tickets.py",
    "web/src/Board.svelte", "web/src/Map.svelte", "web/src/lib/clock.ts", "tests/test_departures.py",
    "tests/test_feed.py", "tests/test_tickets.py", "deploy/Caddyfile", "deploy/switch.sh",
    ".github/workflows/deploy.yml", "README.md", "pyproject.toml",
)  # fmt: skip
README = f"""# ferrytimes

{DESCRIPTION}.

    make up

opens the departures board on http://127.0.0.1:8000.
"""
