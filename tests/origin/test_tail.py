"""A log file followed through everything that happens to log files."""

import os
from pathlib import Path

import pytest
from tests.fakes.permission import somebody_else

from chimney.origin import tail as module
from chimney.origin.tail import Tail
from chimney.wire.edge import TailState


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


@pytest.fixture
def tail(file: Path, tmp_path: Path) -> Tail:
    return Tail(file, tmp_path / "place")


def add(file: Path, text: bytes) -> None:
    with file.open("ab") as stream:
        stream.write(text)


def read(tail: Tail) -> list[bytes]:
    """All there is."""
    lines, more = tail.read()
    while more:
        next_lines, more = tail.read()
        lines += next_lines
    return lines


def test_whole_lines_are_given_once(file: Path, tail: Tail) -> None:
    add(file, b"one\ntwo\nthr")
    assert read(tail) == [b"one", b"two"]
    assert read(tail) == []
    add(file, b"ee\n\n  \nfour\r\n")
    assert read(tail) == [b"three", b"four\r"]


def test_a_file_that_comes_late_is_waited_for(file: Path, tail: Tail) -> None:
    assert (read(tail), tail.state) == ([], TailState.WAITING)
    assert "does not exist" in str(tail.detail)
    add(file, b"here\n")
    assert (read(tail), tail.state, tail.detail) == ([b"here"], TailState.READING, None)


def test_a_renamed_file_is_read_to_its_end_before_the_new_one(file: Path, tail: Tail) -> None:
    add(file, b"one\n")
    assert read(tail) == [b"one"]
    add(file, b"two\nthree")
    file.rename(file.with_name("access-1.log"))
    add(file.with_name("access-1.log"), b" and more")
    add(file, b"four\n")
    assert read(tail) == [b"two", b"three and more", b"four"]
    assert tail.rotations == 1


def test_a_renamed_file_is_followed_while_there_is_no_new_one(file: Path, tail: Tail) -> None:
    add(file, b"one\n")
    read(tail)
    moved = file.rename(file.with_name("access-1.log"))
    add(moved, b"two\n")
    assert read(tail) == [b"two"]
    assert tail.state is TailState.READING


def test_a_truncated_file_is_read_from_its_beginning(file: Path, tail: Tail) -> None:
    add(file, b"one\ntwo\nhal")
    read(tail)
    os.truncate(file, 0)
    add(file, b"new\n")
    assert read(tail) == [b"new"]
    assert tail.rotations == 1


def test_a_restart_goes_on_where_it_was(file: Path, tail: Tail, tmp_path: Path) -> None:
    add(file, b"one\nha")
    assert read(tail) == [b"one"]
    tail.keep_place()
    tail.close()
    add(file, b"lf\ntwo\n")
    assert read(Tail(file, tmp_path / "place")) == [b"half", b"two"]


def test_files_that_were_begun_and_renamed_in_the_meantime_are_read_too(file: Path, tail: Tail, tmp_path: Path) -> None:
    add(file, b"one\n")
    assert read(tail) == [b"one"]
    tail.keep_place()
    add(file, b"two\n")
    for number in (1, 2, 3):
        file.rename(file.with_name(f"access-2026-11-24T19-00-0{number}.log"))
        add(file, b"after %d\n" % number)
    rest = [b"two", b"after 1", b"after 2", b"after 3"]
    assert read(tail) == rest
    assert tail.rotations == 3
    assert read(Tail(file, tmp_path / "place")) == rest


def test_a_restart_after_a_rotation_begins_the_new_file(file: Path, tail: Tail, tmp_path: Path) -> None:
    add(file, b"one\n")
    read(tail)
    tail.keep_place()
    tail.close()
    file.rename(file.with_name("old.log"))
    add(file, b"two\n")
    assert read(Tail(file, tmp_path / "place")) == [b"two"]


@pytest.mark.parametrize("garbage", [b"", b"{}", b"\xff", b'{"device":"x"}'])
def test_a_place_that_cannot_be_read_costs_nothing(file: Path, tmp_path: Path, garbage: bytes) -> None:
    (tmp_path / "place").write_bytes(garbage)
    add(file, b"one\n")
    assert read(Tail(file, tmp_path / "place")) == [b"one"]


def test_of_a_large_file_that_is_met_first_only_the_end_is_read(file: Path, tail: Tail) -> None:
    add(file, b"".join(b"%099d\n" % number for number in range(10_000)))
    lines = read(tail)
    assert len(lines) == pytest.approx(module.RECENT / 100, abs=2)
    assert {len(line) for line in lines} == {99}


def test_a_huge_line_is_left_out_and_counted(file: Path, tail: Tail) -> None:
    add(file, b"one\n")
    assert read(tail) == [b"one"]
    add(file, b"x" * (3 * module.LONGEST_LINE) + b"\ntwo\n")
    assert read(tail) == [b"two"]
    assert tail.too_long == 1


def test_a_huge_line_without_an_end_costs_no_memory(file: Path, tail: Tail) -> None:
    add(file, b"one\n")
    read(tail)
    for _ in range(8):
        add(file, b"x" * module.CHUNK)
        assert read(tail) == []
        assert len(tail._held) <= module.LONGEST_LINE
    add(file, b"\ntwo\n")
    assert (read(tail), tail.too_long) == ([b"two"], 1)


def test_a_file_that_may_not_be_read_says_what_to_do(readable_folder: Path, tmp_path: Path) -> None:
    file = readable_folder / "access.log"
    file.write_text("one\n")
    file.chmod(0)
    tail = Tail(file, tmp_path / "place")
    with somebody_else():
        assert tail.read() == ([], False)
    assert tail.state is TailState.PERMISSION
    assert "its mode is 0000" in str(tail.detail)
    assert "chmod 0640" in str(tail.detail)
    file.chmod(0o644)
    assert (read(tail), tail.state) == ([b"one"], TailState.READING)


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_told_and_does_not_block(file: Path, tail: Tail, kind: str) -> None:
    if kind == "folder":
        file.mkdir()
    else:
        os.mkfifo(file)
    assert tail.read() == ([], False)
    assert (tail.state, "no file" in str(tail.detail) or "directory" in str(tail.detail)) == (TailState.FAILED, True)
