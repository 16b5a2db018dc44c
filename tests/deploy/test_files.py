"""The files to deploy with are good: by the programs that read them, as far as Debian has those."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
import yaml  # type: ignore[import-untyped]
from tests.fakes.caddy import GLOBAL, Caddy
from tests.fakes.slots import TwoSlots

from chimney.config.load import known_variables
from chimney.core import edge
from chimney.wire.edge import Pointing, Slot

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CADDYFILES = ["Caddyfile", "table.Caddyfile"]
SLOTS: dict[Slot, str] = {"blue": "127.0.0.1:8081", "green": "127.0.0.1:8082"}


def caddy(command: str, file: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    said = {
        "CADDY_LOG_DIR": str(folder),
        "CADDY_CONFIG_DIR": str(DEPLOY / "caddy"),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    return subprocess.run(
        ["caddy", command, "--config", str(file), "--adapter", "caddyfile"],
        env={**os.environ, **said},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("name", CADDYFILES)
def test_a_caddyfile_is_valid_and_formatted(name: str, tmp_path: Path) -> None:
    done = caddy("validate", DEPLOY / "caddy" / name, tmp_path)
    assert (done.returncode, "Valid configuration" in done.stdout + done.stderr) == (0, True), done.stderr
    formatted = subprocess.run(
        ["caddy", "fmt", str(DEPLOY / "caddy" / name)], capture_output=True, text=True, timeout=30, check=False
    )
    assert formatted.stdout == (DEPLOY / "caddy" / name).read_text()


def test_the_caddyfile_of_an_origin_points_to_blue_and_can_be_switched(tmp_path: Path) -> None:
    config = json.loads(caddy("adapt", DEPLOY / "caddy" / "Caddyfile", tmp_path).stdout)
    reading = edge.read(config, SLOTS, {})
    assert (reading.pointing, reading.active) == (Pointing.ACTIVE, "blue")
    assert len(edge.plan(config, SLOTS, "green")) == len(reading.proxies) == 2
    assert config["apps"]["http"]["grace_period"] == 15_000_000_000
    assert config["admin"]["listen"] == "unix//run/caddy/admin.sock"


def test_the_incidents_caddyfile_is_refused(tmp_path: Path) -> None:
    text = (DEPLOY / "caddy" / "Caddyfile").read_text()
    block = re.search(r"^\{\n.*?^\}\n", text, flags=re.MULTILINE | re.DOTALL)
    assert block
    wrong = tmp_path / "Caddyfile"
    wrong.write_text(text.replace(block[0], "") + block[0])
    done = caddy("validate", wrong, tmp_path)
    assert done.returncode != 0
    assert "must be first" in done.stderr + done.stdout


@pytest.mark.parametrize("name", ["chimney-origin@.service", "chimney-table.service"])
def test_a_unit_is_good_by_systemd(name: str, tmp_path: Path) -> None:
    """With the program where it is here; the units name where it will be."""
    unit = (DEPLOY / "systemd" / name).read_text().replace("/opt/chimney/bin", str(Path(sys.executable).parent))
    there = tmp_path / name.replace("@", "@blue")
    there.write_text(unit)
    done = subprocess.run(
        ["systemd-analyze", "verify", str(there)], capture_output=True, text=True, timeout=30, check=False
    )
    ours = [line for line in done.stderr.splitlines() if "chimney" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


def test_the_drop_in_of_caddys_unit_is_good_by_systemd(tmp_path: Path) -> None:
    unit = "[Unit]\nDescription=Caddy\n[Service]\nType=notify\nExecStart=/usr/bin/caddy run\n"
    (tmp_path / "caddy.service").write_text(unit)
    shutil.copytree(DEPLOY / "systemd" / "caddy.service.d", tmp_path / "caddy.service.d")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / "caddy.service")],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if "caddy" in line]) == (0, [])


def settings_named(text: str) -> set[str]:
    return set(re.findall(r"\b(CHIMNEY_[A-Z0-9_]*[A-Z0-9])\b", text))


def test_the_settings_that_the_files_name_exist() -> None:
    files = [file for file in DEPLOY.rglob("*") if file.suffix in (".service", ".yaml", ".example", ".conf")]
    assert len(files) >= 7
    own = {"CHIMNEY_HOST", "CHIMNEY_TABLE_HOST", "CHIMNEY_UPSTREAM"}  # of the Caddyfiles
    known = known_variables() | own
    for file in files:
        named = {one for one in settings_named(file.read_text()) if not one.startswith("CHIMNEY_TABLE_ORIGIN_")}
        assert named - known == set(), file.name


def compose(name: str) -> dict[str, Any]:
    return cast("dict[str, Any]", yaml.safe_load((DEPLOY / name).read_text()))


def test_the_compose_file_of_an_origin_has_two_slots_that_are_told_apart() -> None:
    services = compose("compose.origin.yaml")["services"]
    assert set(services) == {"blue", "green", "caddy", "dragonfly"}
    for slot in ("blue", "green"):
        assert services[slot]["environment"]["CHIMNEY_SLOT"] == slot
        assert (services[slot]["user"], services[slot]["read_only"]) == ("10001:10001", True)
    assert services["blue"]["volumes"] == services["green"]["volumes"]
    named = services["blue"]["environment"]["CHIMNEY_SLOTS"]
    assert named == "blue=blue:8080,green=green:8080"
    assert "--proactor_threads=1" in services["dragonfly"]["command"]
    assert "--dbfilename=" in services["dragonfly"]["command"]
    assert "--resume" in " ".join(services["caddy"]["command"])


def test_the_compose_file_of_the_table_asks_the_tables_port() -> None:
    [table] = compose("compose.table.yaml")["services"].values()
    assert table["environment"]["PORT"] == "8700"
    assert table["ports"] == ["127.0.0.1:8700:8700"]


def test_the_image_is_built_of_what_is_there_and_runs_as_nobody_special() -> None:
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line]
    missing = [path for paths in copied for path in paths if not (ROOT / path).exists()]
    assert missing == []
    last = text[text.rindex("\nFROM ") :]
    assert re.search(r"^USER 10001:10001$", last, flags=re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*healthcheck\.py", last, flags=re.MULTILINE)
    assert "--require-hashes" in text


def test_the_health_check_of_the_image_takes_no_redirect_for_health(tmp_path: Path, slots: TwoSlots) -> None:
    wrong = Caddy(tmp_path / "wrong")
    wrong.values["admin"] = "off"
    wrong.write(GLOBAL + "http://127.0.0.1:{port} {{\n\tredir https://elsewhere.test{{uri}} 308\n}}\n")
    try:
        wrong.start()
        good = checked(slots.addresses["blue"].rpartition(":")[2])
        redirected, nothing = checked(str(wrong.port)), checked("9")
        smoked = smoke(f"http://{slots.addresses['blue']}", "--slot", "blue", "--revision", slots.REVISION[:7])
        other = smoke(f"http://{slots.addresses['blue']}", "--slot", "green", "--wait", "0")
        moved = smoke(wrong.url, "--wait", "0")
    finally:
        wrong.stop()
    assert (good.returncode, redirected.returncode, nothing.returncode) == (0, 1, 1)
    assert "308" in redirected.stderr
    assert smoked.returncode == 0, smoked.stderr
    assert (other.returncode, "slot blue answers" in other.stderr) == (1, True)
    assert (moved.returncode, "redirects (308)" in moved.stderr) == (1, True)
    assert smoke("ftp://x").returncode == 2


def checked(port: str) -> subprocess.CompletedProcess[str]:
    return _run([sys.executable, str(DEPLOY / "healthcheck.py")], {"PORT": port})


def smoke(*arguments: str) -> subprocess.CompletedProcess[str]:
    return _run([str(DEPLOY / "smoke"), *arguments], {})


def _run(command: list[str], more: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env={**os.environ, **more}, capture_output=True, text=True, timeout=30, check=False)
