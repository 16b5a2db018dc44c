"""Following a log file that is rotated, truncated, late, or not ours to read. Blocking: call from a thread.

By inode: a file that was renamed is read to its end before the new one, and so are those that were begun and renamed in
between (`name-…` beside it, as Caddy calls them; compressed ones are not). What was read is remembered in a small file,
so a restart goes on there. At most 1 MiB a round; a line over 1 MiB is left out and counted.
"""

import contextlib
import os
import stat
from pathlib import Path

import msgspec

from chimney.wire.edge import TailState

CHUNK = 1024 * 1024
LONGEST_LINE = 1024 * 1024
RECENT = 256 * 1024  # what is read of a file that is met for the first time: about 300 lines
FARTHEST = 64 * CHUNK  # a restart after a long while goes on at most so far behind the end


class Place(msgspec.Struct, frozen=True):
    """Up to where a file was read."""

    device: int
    inode: int
    offset: int


class Tail:
    """`state` and `detail` say how it is; `too_long` and `rotations` count."""

    def __init__(self, path: Path, memory: Path) -> None:
        self.path = path
        self._memory = memory
        self._file: int | None = None
        self._place = Place(0, 0, 0)
        self._held = b""
        self._skipping = False
        self.state = TailState.WAITING
        self.detail: str | None = None
        self.too_long = 0
        self.rotations = 0
        self._remembered: Place | None = None
        self._kept: Place | None = None

    def read(self) -> tuple[list[bytes], bool]:
        """Whole lines that came since, without their ends; and whether there is more already."""
        if self._file is None:
            self._remembered = self._recall()
            if not self._open(self._where_we_were(), from_start=False):
                return [], False
        self._notice_truncation()
        data = self._read()
        if len(data) == CHUNK:
            return self._lines(data), True
        if not self._replaced():
            return self._lines(data), False
        data += self._read()  # what was written between the last read and the rename
        lines = self._lines(data)
        if self._held and not self._skipping:
            lines.append(self._held)
        self.close()
        self.rotations += 1
        return lines, self._open(self._after_this(), from_start=True)

    def keep_place(self) -> None:
        """Remembers that all given out so far has been kept. A failure costs lines told twice, nothing else."""
        place = msgspec.structs.replace(self._place, offset=self._place.offset - len(self._held))
        if place == self._kept:
            return
        fresh = self._memory.with_suffix(".new")
        with contextlib.suppress(OSError):
            fresh.write_bytes(msgspec.json.encode(place))
            fresh.replace(self._memory)
        self._kept = place

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file, self._held, self._skipping = None, b"", False

    def _recall(self) -> Place | None:
        try:
            return msgspec.json.decode(self._memory.read_bytes(), type=Place)
        except (OSError, msgspec.DecodeError):
            return None

    def _renamed(self) -> list[Path]:
        """The files beside it that were it before, oldest first: Caddy puts the time into their names."""
        begin, end = f"{self.path.stem}-", self.path.suffix
        with contextlib.suppress(OSError):
            names = [entry.name for entry in os.scandir(self.path.parent)]
            return [self.path.parent / one for one in sorted(names) if one.startswith(begin) and one.endswith(end)]
        return []

    def _where_we_were(self) -> Path:
        known = self._remembered
        renamed = self._renamed() if known else []
        return next((one for one in renamed if known and _is(one, known)), self.path)

    def _after_this(self) -> Path:
        """The file that was begun when this one was renamed."""
        renamed = self._renamed()
        place = next((place for place, one in enumerate(renamed) if _is(one, self._place)), len(renamed))
        return renamed[place + 1] if place + 1 < len(renamed) else self.path

    def _open(self, path: Path, *, from_start: bool) -> bool:
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            facts = os.fstat(self._file)
            if not stat.S_ISREG(facts.st_mode):
                raise OSError(0, "it is no file")
        except OSError as error:
            self.close()
            self._explain(error)
            return False
        self.state, self.detail = TailState.READING, None
        offset = 0 if from_start else self._begin_at(facts)
        self._place = Place(facts.st_dev, facts.st_ino, offset)
        self._remembered = None
        if offset and not from_start and offset == facts.st_size - RECENT:
            self._skipping = True  # in the middle of a line, most likely
        return True

    def _begin_at(self, facts: os.stat_result) -> int:
        """Where we were, if it is that file; its last lines when it is met for the first time."""
        known = self._remembered
        if known is None:
            return max(0, facts.st_size - RECENT)
        if (known.device, known.inode) != (facts.st_dev, facts.st_ino) or known.offset > facts.st_size:
            return 0 if facts.st_size <= FARTHEST else facts.st_size - RECENT
        return known.offset if facts.st_size - known.offset <= FARTHEST else facts.st_size - RECENT

    def _explain(self, error: OSError) -> None:
        if isinstance(error, FileNotFoundError):
            self.state, self.detail = TailState.WAITING, f"{self.path} does not exist yet"
        elif isinstance(error, PermissionError):
            self.state, self.detail = TailState.PERMISSION, self._permission()
        else:
            self.state, self.detail = TailState.FAILED, f"{self.path}: {error.strerror or error}"

    def _permission(self) -> str:
        mode = ""
        with contextlib.suppress(OSError):
            mode = f", its mode is {stat.S_IMODE(self.path.stat().st_mode):04o}"
        return (
            f"{self.path} may not be read by this user{mode}. Caddy before 2.9 may create it with 0600, without"
            " an option: put both users into one group and `chmod 0640` the file, also after each rotation, or run the"
            " origin as Caddy's user; from Caddy 2.9 set `mode 0640` in its `output file`"
        )

    def _notice_truncation(self) -> None:
        if self._file is not None and os.fstat(self._file).st_size < self._place.offset:
            self._place = msgspec.structs.replace(self._place, offset=0)
            self._held, self._skipping = b"", False
            self.rotations += 1

    def _read(self) -> bytes:
        if self._file is None:
            return b""
        data = os.pread(self._file, CHUNK, self._place.offset)
        self._place = msgspec.structs.replace(self._place, offset=self._place.offset + len(data))
        return data

    def _replaced(self) -> bool:
        """Whether the path names another file by now. While it names none, the old one is still written to."""
        return self.path.exists() and not _is(self.path, self._place)

    def _lines(self, data: bytes) -> list[bytes]:
        *whole, self._held = (self._held + data).split(b"\n")
        if self._skipping and whole:
            self._skipping = False
            whole = whole[1:]
        if len(self._held) > LONGEST_LINE:
            self._held, self._skipping = b"", True
            self.too_long += 1
        elif self._skipping:
            self._held = b""
        fit = [line for line in whole if len(line) <= LONGEST_LINE]
        self.too_long += len(whole) - len(fit)
        return [line for line in fit if line.strip()]


def _is(path: Path, place: Place) -> bool:
    try:
        facts = path.stat()
    except OSError:
        return False
    return (facts.st_dev, facts.st_ino) == (place.device, place.inode)
