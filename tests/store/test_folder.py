import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chimney.store.errors import FolderError, InUseError
from chimney.store.folder import DataFolder

_HOLDER = """
import sys, time
from pathlib import Path
from chimney.store.folder import DataFolder
folder = DataFolder(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", _HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_second_process_is_refused_at_once_and_told_who_has_the_folder(tmp_path: Path) -> None:
    first = holder(tmp_path)
    began = time.monotonic()
    with pytest.raises(InUseError, match=f"in use by pid {first.pid}"):
        DataFolder(tmp_path)
    assert time.monotonic() - began < 5
    end(first)


def test_the_lock_dies_with_its_holder(tmp_path: Path) -> None:
    end(holder(tmp_path))
    DataFolder(tmp_path).close()


def test_the_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "a" / "b")
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    folder.write_secret("token", "x")
    assert stat.S_IMODE((tmp_path / "a" / "b" / "token").stat().st_mode) == 0o600
    folder.write_secret("token", "y")
    assert (tmp_path / "a" / "b" / "token").read_text() == "y"
    folder.close()


@pytest.mark.parametrize("name", ["file", "file/below", "/proc/nobody/may"])
def test_a_folder_that_cannot_be_used_is_named_with_the_reason(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match=f"cannot use .*{name}: [a-z]"):
        DataFolder(tmp_path / name)


def test_nothing_is_left_open_when_it_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(FolderError):
        DataFolder(tmp_path / "file")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
