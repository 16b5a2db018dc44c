"""What page loads cost of GitHub's quota."""

import time

from tests.e2e.processes import Stack, fetch

TABLE_SECONDS = 15.0

PAGE_LOAD = (
    "/api/pipeline/summary",
    "/api/github/pulls?state=open",
    "/api/github/issues?state=open",
    "/api/github/actions/runs?per_page=20",
    "/api/github/releases",
    "/api/deploy/status",
)


def test_a_hundred_page_loads_cost_the_first_fetch_of_each_path_and_no_more(stack: Stack) -> None:
    def load_page() -> None:
        for path in PAGE_LOAD:
            fetch(stack.origin.url + path)

    def charged() -> int:
        answer: int = fetch(f"{stack.standin.url}/_standin/stats")["charged"]
        return answer

    # the table has first questions of its own (pull requests, releases), asked once it knows the origin
    begun = time.monotonic()
    while time.monotonic() - begun < TABLE_SECONDS:
        load_page()
    first = charged()
    for _ in range(99):
        load_page()
    assert charged() == first
