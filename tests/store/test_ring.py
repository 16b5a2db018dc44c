"""The last records of a stream on disk."""

import random
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chimney.core.resume import Hole
from chimney.store.errors import FolderError
from chimney.store.ring import RingFile


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "logs.sqlite"


def lines(count: int, *, start: int = 0, size: int = 20) -> list[bytes]:
    return [b'{"n": %d, "x": "%s"}' % (number, b"x" * size) for number in range(start, start + count)]


def ring_of(file: Path, *, keep: int) -> RingFile:
    return RingFile(file, keep=keep, clock=lambda: 1)


def test_lines_get_ids_that_follow_each_other(file: Path) -> None:
    ring = ring_of(file, keep=1000)
    assert (ring.append(lines(3)).first, ring.append(lines(2)).first, ring.newest) == (1, 4, 5)
    ring.close()


def test_the_last_lines_are_there_after_a_restart_and_no_id_is_given_again(file: Path) -> None:
    ring = ring_of(file, keep=100)
    for start in range(0, 250, 7):
        ring.append(lines(7, start=start))
    newest = ring.newest
    ring.close()
    again = ring_of(file, keep=100)
    held = again.load()
    assert len(held) == 100
    assert [number for number, _ in held] == list(range(newest - 99, newest + 1))
    assert held[-1][1] == lines(1, start=newest - 1)[0]
    assert again.append(lines(1)).first == newest + 1
    again.close()


def test_ids_go_on_also_when_nothing_was_loaded(file: Path) -> None:
    first = ring_of(file, keep=10)
    first.append(lines(5))
    first.close()
    second = ring_of(file, keep=10)
    assert second.append(lines(1)).first == 6
    second.close()


def test_a_batch_larger_than_the_ring_counts_whole_and_keeps_its_end(file: Path) -> None:
    ring = ring_of(file, keep=10)
    assert ring.append(lines(25)).first == 1
    assert [number for number, _ in ring.load()] == list(range(16, 26))
    assert ring.append(lines(1)).first == 26
    ring.close()


def test_two_processes_never_give_the_same_id(file: Path) -> None:
    blue, green = ring_of(file, keep=100), ring_of(file, keep=100)
    given = [ring.append(lines(2)).first for _ in range(10) for ring in (blue, green)]
    assert len(set(given)) == 20
    assert given == sorted(given)
    blue.close()
    green.close()


def test_the_file_stays_small(file: Path) -> None:
    ring = ring_of(file, keep=100)
    for _ in range(300):
        ring.append(lines(10, size=200))
    ring.close()
    assert file.stat().st_size < 200_000


def test_a_disk_that_refuses_costs_the_line_its_place_but_not_its_id(file: Path) -> None:
    ring = ring_of(file, keep=100)
    ring.append(lines(2))
    ring._db.execute("PRAGMA max_page_count=1")
    with pytest.raises(OSError, match="full"):
        ring.append(lines(3, size=100_000))
    assert ring.newest == 5
    ring._db.execute("PRAGMA max_page_count=100000")
    assert ring.append(lines(1)).first == 6
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
    ring = ring_of(file, keep=1000)
    for _ in range(10):
        ring.append(lines(30, size=300))
    ring.close()
    good = file.read_bytes()
    for seed in range(20):
        content = bytearray(good)
        damage(content, random.Random(seed))
        file.write_bytes(content)
        ring = ring_of(file, keep=1000)
        ring.load()
        ring.append(lines(1))
        ring.close()


def test_what_is_no_database_is_set_aside_and_kept(file: Path) -> None:
    file.write_bytes(b"this is no database " * 500)
    ring = ring_of(file, keep=10)
    assert ring.append(lines(1)).first == 1
    ring.close()
    [aside] = file.parent.glob("logs.sqlite.corrupt-*")
    assert aside.read_bytes().startswith(b"this is no database")


def test_a_ring_that_another_process_holds_is_not_taken_for_damaged(file: Path) -> None:
    ring_of(file, keep=10).close()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(FolderError, match="locked"):
        ring_of(file, keep=10)
    other.close()
    assert not list(file.parent.glob("*.corrupt-*"))


def test_a_ring_that_cannot_be_opened_is_a_folder_error(file: Path) -> None:
    file.mkdir()
    with pytest.raises(FolderError, match="cannot use"):
        ring_of(file, keep=10)


def test_a_ring_that_is_closed_while_threads_append_closes_after_them(tmp_path: Path) -> None:
    """SQLite crashes the process when its connection is closed under a running statement."""
    for attempt in range(20):
        ring = ring_of(tmp_path / f"{attempt}.sqlite", keep=100)
        with ThreadPoolExecutor(4) as threads:
            appending = [threads.submit(ring.append, [b"{}"] * 50) for _ in range(8)]
            ring.close()
        errors = [append.exception() for append in appending]
        assert all(error is None or isinstance(error, OSError) for error in errors)


def test_a_new_ring_begins_by_the_clock_so_its_ids_are_higher_than_those_of_the_one_before(file: Path) -> None:
    first = RingFile(file, keep=10)
    first.append(lines(100))
    newest = first.newest
    first.close()
    file.unlink()
    second = RingFile(file, keep=10)
    assert second.append(lines(1)).first > newest
    assert second.holes == [Hole(0, second.newest)]
    second.close()


def test_each_slot_is_told_what_the_other_appended_before_in_order_and_once(file: Path) -> None:
    blue, green = ring_of(file, keep=100), ring_of(file, keep=100)
    blue.append(lines(2))
    assert [number for number, _ in green.news()] == [1, 2]
    assert green.news() == []
    blue.append(lines(1, start=2))
    kept = green.append(lines(1, start=3))
    assert (kept.first, kept.others) == (4, [(3, lines(1, start=2)[0])])
    assert blue.news() == [(4, lines(1, start=3)[0])]
    assert (blue.news(), green.news()) == ([], [])
    blue.close()
    green.close()


def test_ids_may_go_on_higher_and_the_hole_is_known_also_after_a_restart(file: Path) -> None:
    ring = ring_of(file, keep=5)
    ring.append(lines(4))
    assert ring.append(lines(2, start=4), least=1000).first == 1000
    assert [number for number, _ in ring.load()] == [2, 3, 4, 1000, 1001]
    ring.close()
    again = ring_of(file, keep=5)
    assert again.holes == [Hole(4, 1000)]
    assert again.append(lines(1, start=6), least=7).first == 1002
    assert again.load()[0][0] == 3
    again.close()


def test_lines_with_ids_of_another_store_are_kept_once(file: Path) -> None:
    ring = ring_of(file, keep=10)
    ring.append(lines(2))
    ring.insert(50, lines(3, start=2), before=2)
    ring.insert(50, lines(3, start=2), before=2)
    assert [number for number, _ in ring.load()] == [1, 2, 50, 51, 52]
    assert ring.holes == [Hole(2, 50)]
    assert ring.append(lines(1)).first == 53
    ring.close()
