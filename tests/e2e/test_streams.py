"""Streams of real processes: two slots, a restart, readers that never read, too many of them."""

import json
import re
import resource
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.processes import Running, eventually, fetch, free_port

TOKEN = {"Authorization": "Bearer read"}


class Reader(threading.Thread):
    """`curl -N`, cut when it is closed."""

    def __init__(self, url: str, last: int | None = None) -> None:
        super().__init__(daemon=True)
        resume = ["-H", f"Last-Event-ID: {last}"] if last is not None else []
        command = ["curl", "-sN", "-H", "Authorization: Bearer read", *resume, url]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.text = ""
        self.start()

    def run(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.text += line

    def ids(self) -> list[int]:
        return [int(found) for found in re.findall(r"^id: (\d+)$", self.text, re.MULTILINE)]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(5)
        self.join(5)
        if self.process.stdout:
            self.process.stdout.close()


class Slot(Running):
    def __init__(self, name: str, folder: Path, **more: str) -> None:
        folder.mkdir(exist_ok=True)
        self.port = free_port()
        super().__init__(
            *("origin", "--listen", f"127.0.0.1:{self.port}"),
            folder=folder,
            environ={
                "CHIMNEY_SLOT": name,
                "CHIMNEY_DATA_DIR": str(folder.parent / "shared"),
                "CHIMNEY_READ_TOKEN": "read",
                "CHIMNEY_OPERATE_TOKEN": "op",
                "CHIMNEY_DEPLOY_TOKEN": "dep",
                **more,
            },
        )

    def ask(self, request_id: str) -> None:
        fetch(f"{self.url}/api/version", headers={"x-request-id": request_id})

    def report(self, number: int) -> None:
        body = {"phase": "succeeded", "revision": f"{number:08x}", "slot": "blue", "id": f"report-{number}"}
        fetch(f"{self.url}/api/deploy/events", body=body, headers={"authorization": "Bearer dep"})


@pytest.fixture
def slots(tmp_path: Path) -> Iterator[tuple[Slot, Slot]]:
    running = Slot("blue", tmp_path / "blue"), Slot("green", tmp_path / "green")
    assert all(slot.url for slot in running)
    yield running
    for slot in running:
        slot.close()


@pytest.fixture(scope="module")
def blue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slot]:
    """One that nobody ends."""
    running = Slot("blue", tmp_path_factory.mktemp("alone") / "blue")
    assert running.url
    yield running
    running.close()


@pytest.fixture
def readers() -> Iterator[list[Reader]]:
    opened: list[Reader] = []
    yield opened
    for reader in opened:
        reader.close()


def test_a_reader_that_moves_from_blue_to_green_misses_nothing_and_gets_nothing_twice(
    slots: tuple[Slot, Slot], readers: list[Reader]
) -> None:
    blue, green = slots
    readers.append(Reader(f"{blue.url}/api/logs/stream", 0))
    for number in range(10):
        (blue if number % 2 else green).ask(f"before-{number}")
    eventually(lambda: all(f'"before-{number}"' in readers[0].text for number in range(10)))
    assert blue.terminate() == 0
    eventually(lambda: readers[0].process.poll() is not None)
    assert re.search(r"retry: \d+\s*$", readers[0].text)
    for number in range(10):
        green.ask(f"after-{number}")
    readers.append(Reader(f"{green.url}/api/logs/stream", readers[0].ids()[-1]))
    eventually(lambda: '"after-9"' in readers[1].text)
    both = readers[0].ids() + readers[1].ids()
    assert both == list(range(both[0], both[-1] + 1))
    assert "event: gap" not in readers[1].text
    text = readers[0].text + readers[1].text
    for name in ("before", "after"):
        assert [text.count(f'"{name}-{number}"') for number in range(10)] == [1] * 10
    assert '"slot":"blue"' in readers[0].text
    assert '"slot":"green"' in readers[0].text


def test_events_cut_and_resumed_over_a_kill_miss_nothing(slots: tuple[Slot, Slot], readers: list[Reader]) -> None:
    blue, _ = slots
    readers.append(Reader(f"{blue.url}/api/events", 0))
    for number in range(3):
        blue.report(number)
    eventually(lambda: readers[0].text.count("event: deployment") == 3)
    readers[0].close()
    last = readers[0].ids()[-1]
    for number in range(3, 6):
        blue.report(number)
    probe = Reader(f"{blue.url}/api/events", last)
    readers.append(probe)
    eventually(lambda: probe.text.count("event: deployment") == 3)
    blue.kill()
    blue.again()
    assert blue.url
    readers.append(Reader(f"{blue.url}/api/events", last))
    eventually(lambda: readers[2].text.count("event: deployment") == 3)
    assert readers[2].ids()[:3] == probe.ids()[:3]
    assert "event: gap" not in readers[2].text


def test_the_log_level_changes_what_is_streamed_and_reverts_by_itself(blue: Slot, readers: list[Reader]) -> None:
    readers.append(Reader(f"{blue.url}/api/logs/stream"))
    readers.append(Reader(f"{blue.url}/api/events"))
    eventually(lambda: all("event: hello" in reader.text for reader in readers))
    table = {"user-agent": "chimney-table/1"}
    fetch(f"{blue.url}/api/version", headers={**table, "x-request-id": "quiet-1"})
    body = {"level": "debug", "for_seconds": 0.7}
    operator = {"authorization": "Bearer op"}
    assert fetch(f"{blue.url}/api/log-level", body=body, headers=operator)["level"] == "debug"
    fetch(f"{blue.url}/api/version", headers={**table, "x-request-id": "loud-1"})
    eventually(lambda: '"loud-1"' in readers[0].text)
    eventually(lambda: readers[1].text.count("event: log_level") == 2)
    fetch(f"{blue.url}/api/version", headers={**table, "x-request-id": "quiet-2"})
    fetch(f"{blue.url}/api/version", headers={"x-request-id": "last-1"})
    eventually(lambda: '"last-1"' in readers[0].text)
    assert '"quiet-2"' not in readers[0].text
    told = [json.loads(line[6:])["data"] for line in readers[1].text.splitlines() if '"kind":"log_level"' in line]
    assert [(one["before"], one["after"], one["reverted"]) for one in told] == [
        ("info", "debug", False),
        ("debug", "info", True),
    ]
    assert told[0]["by"]["client"] == "127.0.0.1"


def greeting(address: str, *, receive_bytes: int | None = None, headers: str = "") -> tuple[socket.socket, bytes]:
    host, port = address.removeprefix("http://").split(":")
    reader = socket.socket()
    if receive_bytes:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    reader.settimeout(10)
    reader.connect((host, int(port)))
    asked = f"GET /api/logs/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer read\r\n{headers}\r\n"
    reader.sendall(asked.encode())
    return reader, reader.recv(4096)


def test_two_thousand_readers_of_one_address_are_a_hundred_and_nobody_else_suffers(blue: Slot) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    opened = [greeting(blue.url) for _ in range(2_000)]
    try:
        statuses = [answer.split(b" ", 2)[1] for _, answer in opened]
        assert (statuses.count(b"200"), statuses.count(b"429")) == (100, 1_900)
        assert b"retry-after: 30" in next(answer.lower() for _, answer in opened if b" 429 " in answer)
        browser, answer = greeting(blue.url, headers="Accept: text/event-stream\r\nSec-Fetch-Dest: empty\r\n")
        while b"retry: " not in answer:
            answer += browser.recv(4096)
        browser.close()
        assert answer.startswith(b"HTTP/1.1 200")
        assert fetch(f"{blue.url}/healthz")["streams"] == 100
    finally:
        for reader, _ in opened:
            reader.close()
    eventually(lambda: fetch(f"{blue.url}/healthz")["streams"] == 0)


def test_a_reader_that_never_reads_costs_the_others_nothing(blue: Slot, readers: list[Reader]) -> None:
    stalled = [greeting(blue.url, receive_bytes=4096)[0] for _ in range(5)]
    readers.append(Reader(f"{blue.url}/api/logs/stream"))
    eventually(lambda: "event: hello" in readers[0].text)
    for number in range(1_500):
        blue.ask(f"filler-{number:06d}-{'x' * 100}")
    blue.ask("the-end")
    eventually(lambda: '"the-end"' in readers[0].text)
    ids = readers[0].ids()
    assert ids == list(range(ids[0], ids[-1] + 1))
    assert "event: gap" not in readers[0].text
    for reader in stalled:
        reader.close()
