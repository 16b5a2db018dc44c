"""What a stack's processes take for the time and for the DNS: Debian's libfaketime and libnss-wrapper.

What is monotonic goes on as it is.
"""

from pathlib import Path

from tests.e2e.processes import eventually

FAKETIME = "libfaketimeMT.so.1"
NAMES = "libnss_wrapper.so"


def library(name: str) -> str:
    """Where Debian keeps it, on any architecture."""
    places = (Path("/usr/lib").glob(f"*/{folder}{name}") for folder in ("", "faketime/"))
    found = next((file for place in places for file in place), None)
    assert found, f"{name} is missing: make packages installs it"
    return str(found)


class Clock:
    """`ahead` seconds before the real time. Processes that were started with `environ` see a change within a second."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.ahead = 0
        self.set(0)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": library(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set(self, ahead: int) -> None:
        """In one step: a process that reads half of it would keep that for a second."""
        self.ahead = ahead
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"+{ahead}\n")
        fresh.replace(self._file)

    def move(self, seconds: int) -> None:
        self.set(self.ahead + seconds)


class Hosts:
    """The names that a process started with `environ` knows besides those of the DNS: libnss-wrapper."""

    def __init__(self, file: Path, **known: str) -> None:
        self._file = file
        self.known = known
        self._write(known)

    @property
    def environ(self) -> dict[str, str]:
        return {"LD_PRELOAD": library(NAMES), "NSS_WRAPPER_HOSTS": str(self._file)}

    def _write(self, known: dict[str, str]) -> None:
        lines = "".join(f"{address} {name}\n" for name, address in known.items()) or "127.0.0.1 nobody.test\n"
        before = int(self._file.stat().st_mtime) if self._file.exists() else 0
        eventually(lambda: self._told_anew(lines, before))

    def _told_anew(self, lines: str, before: int) -> bool:
        """The library looks for a change of the file's time, in whole seconds."""
        self._file.write_text(lines)
        return int(self._file.stat().st_mtime) > before

    def forget(self, name: str) -> None:
        self._write({known: address for known, address in self.known.items() if known != name})

    def remember(self) -> None:
        self._write(self.known)
