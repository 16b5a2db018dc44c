"""Looking after what a table keeps, from a shell."""

import sqlite3
from pathlib import Path

from tests.cli.processes import Process, run


def test_a_running_table_is_backed_up_and_put_back_elsewhere(tmp_path: Path) -> None:
    table = Process("table", "--listen", "127.0.0.1:0", cwd=tmp_path)
    try:
        table.ready()
        done = run("table", "--backup", "copy", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "backed up .table to copy" in done.stdout
        refused = run("table", "--restore", "copy", cwd=tmp_path)
        assert refused.returncode == 2
        assert f"in use by pid {table.pid}" in refused.stderr
        assert run("table", "--doctor", cwd=tmp_path).returncode == 2
    finally:
        table.end()
    done = run("table", "--data-dir", "elsewhere", "--restore", "copy", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    examined = run("table", "--data-dir", "elsewhere", "--doctor", cwd=tmp_path)
    assert (examined.returncode, "all is sound" in examined.stdout) == (0, True), examined.stdout


def test_the_doctor_sets_aside_what_is_damaged_and_says_so(tmp_path: Path) -> None:
    assert run("table", "--doctor", cwd=tmp_path).returncode == 0
    journal = tmp_path / ".table" / "journal.sqlite"
    journal.write_bytes(b"\0" * journal.stat().st_size)
    examined = run("table", "--doctor", cwd=tmp_path)
    assert examined.returncode == 1
    assert "journal.sqlite was damaged" in examined.stdout
    assert run("table", "--doctor", cwd=tmp_path).returncode == 0


def test_a_backup_of_a_later_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    assert run("table", "--doctor", cwd=tmp_path).returncode == 0
    with sqlite3.connect(tmp_path / ".table" / "journal.sqlite") as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    refused = run("table", "--doctor", cwd=tmp_path)
    assert refused.returncode == 2
    assert "chimney table --restore" in refused.stderr
