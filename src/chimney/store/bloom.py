"""Whether an id may be in a segment: a Bloom filter beside it, built by DuckDB, asked by reading a few bytes.

10 bits an id and 4 probes: one answer in a hundred says "may be" of an id that is not there, none says "is not" of one
that is. A segment of 250,000 records that all have two ids of their own has one of 625 kB.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

BITS_EACH = 10
PROBES = 4
_HALVES = (("lower", "low"), ("upper", "high"))


def build(db: "duckdb.DuckDBPyConnection", ids: str) -> bytes:
    """`ids` is a query of one column, `id`. Empty when there are none."""
    (count,) = db.execute(f"SELECT approx_count_distinct(id) FROM ({ids})").fetchone() or (0,)  # noqa: S608 — a query of ours
    if not count:
        return b""
    size = _bits(count)
    probes = " UNION ALL ".join(
        f"SELECT (low + {number} * high) % {size} AS place FROM hashed"  # noqa: S608
        for number in range(PROBES)
    )
    low, high = (f"(md5_number_{half}(id) % {size})::BIGINT AS {name}" for half, name in _HALVES)  # small: no 128 bits
    hashed = f"SELECT {low}, {high} FROM (SELECT DISTINCT id FROM ({ids}))"  # noqa: S608
    statement = f"WITH hashed AS MATERIALIZED ({hashed}) SELECT bitstring_agg(place, 0, {size - 1}) FROM ({probes})"  # noqa: S608
    (bits,) = db.execute(statement).fetchone() or ("",)
    return int(bits, 2).to_bytes(size // 8, "big")


def _bits(count: int) -> int:
    """A whole number of bytes, with room for the estimate's error."""
    return max(1, -(-int(count * 1.05) * BITS_EACH // 8)) * 8


def may_hold(file: Path, sought: str) -> bool:
    """True also when the file cannot be read: the segment is then asked itself."""
    with asked(file) as held:
        return held(sought)


@contextlib.contextmanager
def asked(file: Path) -> Iterator[Callable[[str], bool]]:
    """`may_hold` of a file that is opened once for many questions."""
    try:
        fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        yield lambda _sought: True
        return
    try:
        yield lambda sought: _holds(fd, sought)
    finally:
        os.close(fd)


def _holds(fd: int, sought: str) -> bool:
    try:
        size = os.fstat(fd).st_size * 8
        return size > 0 and all(_bit(fd, place) for place in _places(sought, size))
    except OSError:
        return True


def _bit(fd: int, place: int) -> bool:
    byte = os.pread(fd, 1, place // 8)
    return not byte or bool(byte[0] >> (7 - place % 8) & 1)


def _places(sought: str, size: int) -> Iterator[int]:
    low, high = _halves_of(sought)
    return ((low + number * high) % size for number in range(PROBES))


@lru_cache(maxsize=1024)
def _halves_of(sought: str) -> tuple[int, int]:
    """The same of every segment that a search asks."""
    digest = hashlib.md5(sought.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "little"), int.from_bytes(digest[:8], "little")
