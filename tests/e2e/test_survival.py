"""What must not be lost when a process is killed or told to stop."""

import re
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest
from tests.e2e.processes import Stack, eventually, fetch


def ask_origin(stack: Stack, request_id: str) -> None:
    fetch(f"{stack.origin.url}/api/version", headers={"x-request-id": request_id})


def stored(stack: Stack, request_id: str) -> list[str]:
    items = stack.ask_table(f"/api/logs?request_id={request_id}&limit=500")["items"]
    return [item["request_id"] for item in items]


def test_the_table_keeps_what_it_had_stored_and_resumes_without_repeating(fresh_stack: Stack) -> None:
    stack = fresh_stack
    ids = [f"before-{number}" for number in range(20)]
    for request_id in ids:
        ask_origin(stack, request_id)
    eventually(lambda: stored(stack, ids[-1]) == [ids[-1]])
    stack.table.kill()
    missed = [f"missed-{number}" for number in range(20)]
    for request_id in missed:
        ask_origin(stack, request_id)
    stack.table.again()
    assert stack.table.url
    eventually(lambda: stored(stack, missed[-1]) == [missed[-1]])
    for request_id in ids + missed:
        assert stored(stack, request_id) == [request_id]


def test_the_origin_keeps_its_ring_and_its_deployments(fresh_stack: Stack) -> None:
    stack = fresh_stack
    report = {"phase": "succeeded", "revision": "0123abcd", "slot": "blue", "id": "kept-once"}
    assert fetch(f"{stack.origin.url}/api/deploy/events", body=report)["id"] == "kept-once"
    ask_origin(stack, "last-words")
    eventually(lambda: fetch(f"{stack.origin.url}/api/logs?request_id=last-words")["items"])
    newest = fetch(f"{stack.origin.url}/healthz")["logs"]["newest_id"]
    stack.origin.kill()
    stack.origin.again()
    assert stack.origin.url
    assert fetch(f"{stack.origin.url}/api/logs?request_id=last-words")["items"]
    assert fetch(f"{stack.origin.url}/healthz")["logs"]["newest_id"] >= newest
    events = fetch(f"{stack.origin.url}/api/deploy/events?limit=500")["items"]
    assert [event["revision"] for event in events].count("0123abcd") == 1
    ask_origin(stack, "after-restart")
    eventually(lambda: stored(stack, "after-restart") == ["after-restart"])


class Reader(threading.Thread):
    """`curl -N` of a stream, as a user would cut and resume it."""

    def __init__(self, url: str, *headers: str) -> None:
        super().__init__(daemon=True)
        arguments = ["curl", "-sN", *(word for header in headers for word in ("-H", header)), url]
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        self.text = ""
        self.start()

    def run(self) -> None:
        with self.process.stdout or open("/dev/null") as stream:  # noqa: PTH123
            for line in stream:
                self.text += line

    def ids(self) -> list[int]:
        return [int(found) for found in re.findall(r"^id: (\d+)$", self.text, re.MULTILINE)]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(5)
        self.join(5)


@pytest.fixture
def readers() -> Iterator[list[Reader]]:
    opened: list[Reader] = []
    yield opened
    for reader in opened:
        reader.close()


def test_a_stream_cut_and_resumed_over_a_restart_misses_nothing_and_repeats_nothing(
    fresh_stack: Stack, readers: list[Reader]
) -> None:
    stack = fresh_stack
    stream = f"{stack.origin.url}/api/logs/stream"
    readers.append(Reader(stream + "?last_event_id=0"))
    eventually(lambda: len(readers[0].ids()) > 3)
    readers[0].close()
    stack.origin.kill()
    stack.origin.again()
    assert stack.origin.url
    for number in range(10):
        ask_origin(stack, f"resumed-{number}")
    last = readers[0].ids()[-1]
    readers.append(Reader(stream, f"Last-Event-ID: {last}"))
    eventually(lambda: "resumed-9" in readers[1].text)
    both = readers[0].ids() + readers[1].ids()
    assert both == list(range(both[0], both[-1] + 1))
    assert "event: gap" not in readers[1].text


@pytest.mark.parametrize("role", ["origin", "table"])
def test_told_to_stop_with_ten_open_streams_it_ends_with_0_within_five_seconds(
    fresh_stack: Stack, readers: list[Reader], role: str
) -> None:
    stack = fresh_stack
    process = stack.origin if role == "origin" else stack.table
    token = (process.folder / ".table" / "cli.token").read_text().strip()
    headers = [] if role == "origin" else [f"Authorization: Bearer {token}"]
    readers.extend(Reader(f"{process.url}/api/logs/stream", *headers) for _ in range(10))
    eventually(lambda: all("event: hello" in reader.text for reader in readers))
    began = time.monotonic()
    assert process.terminate() == 0
    assert time.monotonic() - began < 5
    eventually(lambda: all(reader.text.rstrip().rpartition("\n")[2].startswith("retry: ") for reader in readers))
    assert "Traceback" not in process.errors()
