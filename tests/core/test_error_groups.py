"""Which errors are the same."""

from typing import Any

import msgspec
import pytest
from tests.fakes.otlp import SPAN, TRACE

from chimney.core.error_groups import ErrorGroups, Occurrence, frames, of_log, of_span, template
from chimney.wire.telemetry import LogRow, SpanRow

PYTHON = """Traceback (most recent call last):
  File "/srv/app/main.py", line 12, in handle
    pay()
  File "/srv/app/pay.py", line 90, in pay
    raise ValueError("no 7")
ValueError: no 7"""
NODE = """TypeError: cannot read x
    at Cart.add (/srv/cart.js:12:5)
    at async handle (file:///srv/main.js:3:1)"""
JAVA = """java.lang.IllegalStateException: no
\tat shop.Cart.add(Cart.java:12)
\tat shop.Main.main(Main.java:3)"""
GO = """goroutine 1 [running]:
main.(*Cart).Add(0xc000)
\t/srv/cart.go:12 +0x1d
main.main()
\t/srv/main.go:3 +0x2a"""


def error(message: str = "no 7", **more: Any) -> Occurrence:
    return Occurrence(**{"type": "ValueError", "message": message, "source": "shop", "seconds": 1000.0, **more})


@pytest.mark.parametrize(
    ("message", "shape"),
    [
        ("user 17 has 3 items", "user <n> has <n> items"),
        ("no file 'a.txt' in \"b\"", "no file <text> in <text>"),
        ("order 6f9619ff-8b86-d011-b42d-00cf4fc964ff is gone", "order <id> is gone"),
        ("commit 4bf92f3577b34da6 at 0x7f3a", "commit <id> at <id>"),
        ("took 1.5.2 s\nand more", "took <n> s"),
        ("facade decade", "facade decade"),
    ],
)
def test_a_template_is_the_message_without_what_varies(message: str, shape: str) -> None:
    assert template(message) == shape


def test_a_template_has_no_colours() -> None:
    assert template("\\u001b[31mpanic\\u001b[0m: \x1b[1mno ledger\x1b[m") == "panic: no ledger"


@pytest.mark.parametrize(
    ("stack", "top"),
    [
        (PYTHON, ["pay (pay.py)", "handle (main.py)"]),
        (NODE, ["Cart.add (cart.js)", "handle (main.js)"]),
        (JAVA, ["shop.Cart.add (Cart.java)", "shop.Main.main (Main.java)"]),
        (GO, ["main.(*Cart).Add (cart.go)", "main.main (main.go)"]),
        ("no stack at all", []),
        (None, []),
    ],
)
def test_the_top_frames_are_those_nearest_to_the_fault(stack: str | None, top: list[str]) -> None:
    assert frames(stack) == top


def test_errors_that_differ_only_in_numbers_are_one_group() -> None:
    groups = ErrorGroups()
    groups.note(error("no 7", seconds=10, deployment="d1"))
    groups.note(error("no 8", seconds=30, deployment="d2", trace_id=TRACE))
    group = groups.note(error("no 9", seconds=20, deployment="d2"))
    assert group
    assert (len(groups.groups), group.count, group.by_deployment) == (1, 3, {"d1": 1, "d2": 2})
    assert (group.first_seen.timestamp(), group.last_seen.timestamp()) == (10, 30)
    assert (group.example.message, group.example.trace_id, group.first_deployment) == ("no 8", TRACE, "d1")


@pytest.mark.parametrize("other", [{"type": "KeyError"}, {"source": "mail"}, {"message": "yes"}, {"stack": PYTHON}])
def test_errors_of_another_type_source_template_or_place_are_not(other: dict[str, Any]) -> None:
    groups = ErrorGroups()
    groups.note(error())
    groups.note(error(**{"message": "no 7", **other}))
    assert len(groups.groups) == 2


def test_an_error_that_is_told_as_record_and_as_span_counts_once() -> None:
    groups = ErrorGroups()
    groups.note(error(trace_id=TRACE))
    assert groups.note(error(trace_id=TRACE, stack=PYTHON)) is None
    assert [group.count for group in groups.groups.values()] == [1]


def test_the_groups_are_bounded_and_the_oldest_goes() -> None:
    groups = ErrorGroups(most=2)
    for kind in ("A", "B", "A", "C"):
        groups.note(error(type=kind))
    assert [group.type for group in groups.groups.values()] == ["A", "C"]
    assert groups.dropped == 1


def log_row(**more: Any) -> LogRow:
    usual = {"id": 5, "ts": "2026-01-01T00:00:00Z", "level": "error", "source": "shop", "message": "m", "logger": "l"}
    return LogRow(**{**usual, **more})


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"fields": {"exception.type": "KeyError"}}, "KeyError"),
        ({"fields": {"stack": PYTHON}}, "ValueError"),
        ({"message": "panic in GET /x: TypeError: no"}, "TypeError"),
        ({}, "l"),
    ],
)
def test_the_type_of_a_record_is_what_it_says_or_what_its_stack_says(more: dict[str, Any], kind: str) -> None:
    found = of_log(log_row(**more), 5.0)
    assert found
    assert (found.type, found.log_id) == (kind, 5)


def test_a_record_below_error_and_a_mark_are_no_errors() -> None:
    assert of_log(log_row(level="warning"), 5.0) is None
    assert of_log(log_row(kind="gap"), 5.0) is None


def span(**more: Any) -> SpanRow:
    usual = {"trace_id": TRACE, "span_id": SPAN, "service": "shop", "name": "GET /", "kind": "server"}
    return SpanRow(**{**usual, "start_ns": 10**9, "duration_ns": 5, **more})


def test_an_exception_of_a_span_is_an_error_with_its_trace() -> None:
    said = {"exception.type": "KeyError", "exception.message": "k", "exception.stacktrace": PYTHON}
    (found,) = of_span(span(events=[{"name": "exception", "at_ns": 2 * 10**9, "attributes": said}]))
    assert (found.type, found.message, found.trace_id, found.seconds) == ("KeyError", "k", TRACE, 2.0)


def test_a_failed_server_span_is_an_error_and_a_failed_client_span_is_not() -> None:
    assert [one.message for one in of_span(span(status="error", status_message="boom"))] == ["boom"]
    assert list(of_span(span(status="error", kind="client"))) == []
    assert list(of_span(span())) == []


def test_what_an_origin_tells_of_one_error_is_counted_once_under_its_fingerprint() -> None:
    groups = ErrorGroups()
    named = {"fingerprint": "00112233445566aa", "error": "KeyError: 'x'"}
    panic = log_row(message="panic in GET /x: KeyError: 'x'", logger="chimney.web.recover", trace_id=TRACE)
    request = log_row(message="GET /x/17 500 3.1 ms", logger="chimney.request", trace_id=TRACE, fields=named)
    stacked = msgspec.structs.replace(panic, fields={**named, "stack": PYTHON})
    failed = span(status="error", attributes={"chimney.error.fingerprint": "00112233445566aa"})
    for one in (of_log(stacked, 1.0), of_log(request, 1.0), *of_span(failed)):
        assert one
        groups.note(one)
    [group] = groups.groups.values()
    assert (group.count, group.type) == (1, "ValueError")


def test_a_request_that_failed_is_named_by_its_error_and_not_by_its_path() -> None:
    groups = ErrorGroups()
    for path in ("/api/github/pulls", "/api/github/issues"):
        fields = {"fingerprint": "00112233445566aa", "error": "github-unreachable: no answer within 10 s"}
        one = of_log(log_row(message=f"GET {path} 504 10000.1 ms", logger="chimney.request", fields=fields), 1.0)
        assert one
        groups.note(one)
    [group] = groups.groups.values()
    assert (group.count, group.type) == (2, "github-unreachable")


def test_a_span_that_came_first_is_placed_by_the_record_of_the_same_error() -> None:
    groups = ErrorGroups()
    groups.note(error(source="chimney-origin", trace_id=TRACE, fingerprint="0123456789abcdef"))
    told = error(
        source="hel1", trace_id=TRACE, fingerprint="0123456789abcdef", deployment="d1", request_id="r", log_id=7
    )
    group = groups.note(told)
    assert group
    assert (group.count, group.source, group.by_deployment, group.first_deployment) == (1, "hel1", {"d1": 1}, "d1")
    assert (group.example.request_id, group.example.log_id) == ("r", 7)
    assert groups.note(told) is None


def test_of_several_only_the_one_that_is_told_again_is_placed() -> None:
    groups = ErrorGroups()
    groups.note(error(seconds=5, deployment="d0"))
    groups.note(error(seconds=10, trace_id=TRACE))
    group = groups.note(error(seconds=10, trace_id=TRACE, deployment="d1"))
    assert group
    assert (group.count, group.by_deployment, group.first_deployment) == (2, {"d0": 1, "d1": 1}, "d0")
