"""What page loads cost of GitHub's quota."""

from tests.e2e.processes import Stack, fetch

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

    load_page()
    first = fetch(f"{stack.standin.url}/_standin/stats")["charged"]
    for _ in range(99):
        load_page()
    assert fetch(f"{stack.standin.url}/_standin/stats")["charged"] == first
