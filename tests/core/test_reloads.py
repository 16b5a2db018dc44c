"""Which configurations Caddy refused, from its log."""

import pytest

from chimney.core.access_log import Own
from chimney.core.reloads import Refusals


def said(
    message: str, *, level: str = "info", method: str = "", uri: str = "", status: int = 0, error: str = ""
) -> Own:
    return Own(
        ts_ms=1000, level=level, logger="admin.api", message=message, error=error, method=method, uri=uri, status=status
    )


def asked(method: str, uri: str) -> Own:
    return said("received request", method=method, uri=uri)


REFUSED = said("request error", level="error", status=400, error="it is wrong")


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        ([asked("POST", "/load"), REFUSED], 1),
        ([asked("PATCH", "/config/apps/http"), REFUSED], 1),
        ([asked("POST", "/adapt"), REFUSED], 0),
        ([asked("GET", "/config/nothing/there"), REFUSED], 0),
        ([asked("PATCH", "/config/x"), said("request error", level="error", status=412)], 0),
        ([REFUSED], 0),
        ([asked("POST", "/load"), REFUSED, REFUSED], 1),
        ([asked("POST", "/load"), said("load complete")], 0),
    ],
)
def test_an_error_belongs_to_the_request_before_it(lines: list[Own], count: int) -> None:
    refusals = Refusals()
    for line in lines:
        refusals.feed(line)
    assert refusals.count == count


def test_a_configuration_that_is_taken_ends_the_failure() -> None:
    refusals = Refusals()
    assert [refusals.feed(line) for line in (asked("POST", "/load"), REFUSED)] == [False, True]
    assert [refusals.last] == [(1000, "it is wrong")]
    refusals.feed(said("load complete"))
    assert [refusals.last, refusals.count] == [None, 1]
