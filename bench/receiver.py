"""The collector of the tests as a process: says its address, then behaves as each line of stdin says."""

import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

from tests.fakes.collector import accepts, answers, answers_a_gibibyte, collector, hangs


def leaves(request: BaseHTTPRequestHandler) -> None:
    """As one that is down: the connection ends without an answer."""
    request.close_connection = True


MANNERS: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {
    "well": accepts,
    "down": leaves,
    "hangs": hangs,
    "503": answers(503),
    "gibibyte": answers_a_gibibyte,
}

if __name__ == "__main__":
    with collector() as running:
        sys.stdout.write(running.url + "\n")
        sys.stdout.flush()
        for line in sys.stdin:
            running.manner = MANNERS[line.strip()]
            running.spans.clear()
            sys.stdout.write("\n")
            sys.stdout.flush()
