"""The last records of a stream on disk."""

import random
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chimney.store.errors import FolderError
from chimney.store.ring import RingFile


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "logs.sqlite"


def lines(count: int, *, start: int = 0, size: int = 20) -> list[bytes]:
    return [b'{"n": %d, "x": "%s"}' % (number, b"x" * size) for number in range(start, start + count)]


def test_lines_get_ids_that_follow_each_other_from_one(file: Path) -> None:
    ring = RingFile(file, keep=1000)
    assert (ring.append(lines(3)), ring.append(lines(2)), ring.newest) == (1, 4, 5)
    ring.close()


def test_the_last_lines_are_there_after_a_restart_and_no_id_is_given_again(file: Path) -> None:
    ring = RingFile(file, keep=100)
    for start in range(0, 250, 7):
        ring.append(lines(7, start=start))
    newest = ring.newest
    ring.close()
    again = RingFile(file, keep=100)
    held = again.load()
    assert len(held) == 100
    assert [number for number, _ in held] == list(range(newest - 99, newest + 1))
    assert held[-1][1] == lines(1, start=newest - 1)[0]
    assert again.append(lines(1)) == newest + 1
    again.close()


def test_ids_go_on_also_when_nothing_was_loaded(file: Path) -> None:
    first = RingFile(file, keep=10)
    first.append(lines(5))
    first.close()
    second = RingFile(file, keep=10)
    assert second.append(lines(1)) == 6
    second.close()


def test_a_batch_larger_than_the_ring_counts_whole_and_keeps_its_end(file: Path) -> None:
    ring = RingFile(file, keep=10)
    assert ring.append(lines(25)) == 1
    assert [number for number, _ in ring.load()] == list(range(16, 26))
    assert ring.append(lines(1)) == 26
    ring.close()


def test_two_processes_never_give_the_same_id(file: Path) -> None:
    blue, green = RingFile(file, keep=100), RingFile(file, keep=100)
    given = [ring.append(lines(2)) for _ in range(10) for ring in (blue, green)]
    assert len(set(given)) == 20
    assert given == sorted(given)
    blue.close()
    green.close()


def test_the_file_stays_small(file: Path) -> None:
    ring = RingFile(file, keep=100)
    for _ in range(300):
        ring.append(lines(10, size=200))
    ring.close()
    assert file.stat().st_size < 200_000


def test_a_disk_that_refuses_costs_the_line_its_place_but_not_its_id(file: Path) -> None:
    ring = RingFile(file, keep=100)
    ring.append(lines(2))
    ring._db.execute("PRAGMA max_page_count=1")
    with pytest.raises(OSError, match="full"):
        ring.append(lines(3, size=100_000))
    assert ring.newest == 5
    ring._db.execute("PRAGMA max_page_count=100000")
    assert ring.append(lines(1)) == 6
    ring.close()


def flip(content: bytearray, place: random.Random) -> None:
    for _ in range(64):
        content[place.randrange(len(content))] ^= 1 << place.randrange(8)


def blank(content: bytearray, place: random.Random) -> None:
    start = place.randrange(len(content))
    content[start : start + 4096] = bytes(len(content[start : start + 4096]))


def cut(content: bytearray, place: random.Random) -> None:
    del content[place.randrange(len(content)) :]


def noise(content: bytearray, place: random.Random) -> None:
    start = place.randrange(len(content))
    content[start:] = place.randbytes(len(content) - start)


@pytest.mark.parametrize("damage", [flip, blank, cut, noise])
def test_a_damaged_file_is_set_aside_or_read_as_far_as_it_goes_and_never_ends_the_start(
    file: Path, damage: Callable[[bytearray, random.Random], None]
) -> None:
    ring = RingFile(file, keep=1000)
    for _ in range(10):
        ring.append(lines(30, size=300))
    ring.close()
    good = file.read_bytes()
    for seed in range(20):
        content = bytearray(good)
        damage(content, random.Random(seed))
        file.write_bytes(content)
        ring = RingFile(file, keep=1000)
        ring.load()
        ring.append(lines(1))
        ring.close()


def test_what_is_no_database_is_set_aside_and_kept(file: Path) -> None:
    file.write_bytes(b"this is no database " * 500)
    ring = RingFile(file, keep=10)
    assert ring.append(lines(1)) == 1
    ring.close()
    [aside] = file.parent.glob("logs.sqlite.corrupt-*")
    assert aside.read_bytes().startswith(b"this is no database")


def test_a_ring_that_another_process_holds_is_not_taken_for_damaged(file: Path) -> None:
    RingFile(file, keep=10).close()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(FolderError, match="locked"):
        RingFile(file, keep=10)
    other.close()
    assert not list(file.parent.glob("*.corrupt-*"))


def test_a_ring_that_cannot_be_opened_is_a_folder_error(file: Path) -> None:
    file.mkdir()
    with pytest.raises(FolderError, match="cannot use"):
        RingFile(file, keep=10)


def test_a_ring_that_is_closed_while_threads_append_closes_after_them(tmp_path: Path) -> None:
    """SQLite crashes the process when its connection is closed under a running statement."""
    for attempt in range(20):
        ring = RingFile(tmp_path / f"{attempt}.sqlite", keep=100)
        with ThreadPoolExecutor(4) as threads:
            appending = [threads.submit(ring.append, [b"{}"] * 50) for _ in range(8)]
            ring.close()
        errors = [append.exception() for append in appending]
        assert all(error is None or isinstance(error, OSError) for error in errors)
