"""deploy/switch, as CI runs it: against a real Caddy and two real origins, killed at every step too."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.cli.processes import environ
from tests.fakes.caddy import GLOBAL, SITE, Caddy
from tests.fakes.slots import TOKENS, TwoSlots

SCRIPT = Path(__file__).parents[2] / "deploy" / "switch"


@pytest.fixture(params=[True, False], ids=["socket", "tcp"])
def caddy(slots: TwoSlots, tmp_path: Path, request: Any) -> Iterator[Caddy]:
    """Points to blue. The one on the socket is the one that the origins know."""
    if request.param:
        caddy = slots.caddy
        assert caddy is not None
    else:
        caddy = Caddy(tmp_path / "caddy")
    caddy.values["upstream"] = slots.addresses["blue"]
    caddy.write(GLOBAL + SITE)
    caddy.start()
    yield caddy
    caddy.stop()


on_socket = pytest.mark.parametrize("caddy", [True], indirect=True, ids=["socket"])
on_tcp = pytest.mark.parametrize("caddy", [False], indirect=True, ids=["tcp"])


def run(*arguments: str, **said: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SCRIPT), *arguments], env=environ(**said), capture_output=True, text=True, timeout=30, check=False
    )


def straight(caddy: Caddy, slots: TwoSlots, *more: str, **said: str) -> subprocess.CompletedProcess[str]:
    pairs = ",".join(f"{slot}={address}" for slot, address in slots.addresses.items())
    return run("--admin", caddy.admin, "--slots", pairs, *more, **said)


def served_by(caddy: Caddy) -> Any:
    with httpx2.Client() as client:
        return client.get(f"{caddy.url}/api/version").json()["slot"]


def test_it_is_clean_by_shellcheck() -> None:
    scripts = [str(file) for file in SCRIPT.parent.iterdir() if file.is_file() and file.read_bytes().startswith(b"#!")]
    checked = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True, timeout=30, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "which slot"),
        (["red"], "there is no red"),
        (["green"], "where?"),
        (["green", "--admin"], "needs a value"),
        (["green", "--admin", "x", "--drain", "soon"], "whole seconds"),
        (["green", "--admin", "x", "--revision", "main"], "hexadecimal"),
        (["green", "--admin", "x", "--upstream-conf", "/none"], "cannot be written"),
        (["green", "--admin", "http://127.0.0.1:9"], "--slots should be"),
    ],
)
def test_wrong_usage_is_2_and_says_what_is_right(arguments: list[str], said: str) -> None:
    done = run(*arguments)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert run("--help").returncode == 0


def test_it_switches_straight_through_caddys_admin_api_and_back(caddy: Caddy, slots: TwoSlots) -> None:
    assert served_by(caddy) == "blue"
    done = straight(caddy, slots, "green", "--revision", slots.REVISION[:8])
    assert (done.returncode, done.stderr) == (0, "switch: Caddy points to green\n")
    assert served_by(caddy) == "green"
    assert straight(caddy, slots, "green").returncode == 0
    assert straight(caddy, slots, "blue").returncode == 0
    assert served_by(caddy) == "blue"


@on_socket
def test_it_switches_through_an_origin_which_knows_who_and_why(caddy: Caddy, slots: TwoSlots) -> None:
    origin = f"http://{slots.addresses['blue']}"
    token = {"CHIMNEY_OPERATE_TOKEN": TOKENS["CHIMNEY_OPERATE_TOKEN"]}
    done = run("--origin", origin, "--reason", 'say "why"\n', "--actor", "ada", "green", **token)
    assert (done.returncode, served_by(caddy)) == (0, "green"), done.stderr
    with httpx2.Client(headers={"authorization": f"Bearer {TOKENS['CHIMNEY_OPERATE_TOKEN']}"}) as client:
        row = client.get(f"{origin}/api/audit").json()["items"][0]
    assert (row["act"], row["result"], row["who"], row["detail"]["reason"]) == ("switch", "done", "ada", 'say "why"')
    refused = run("--origin", origin, "--revision", "0" * 40, "blue", **token)
    assert (refused.returncode, "it runs revision" in refused.stderr) == (1, True)
    assert served_by(caddy) == "green"
    assert run("--origin", origin, "blue", CHIMNEY_OPERATE_TOKEN="wrong").returncode == 1
    assert run("--origin", "http://127.0.0.1:9", "blue", **token).returncode == 3


@on_tcp
def test_a_slot_that_is_not_well_gets_no_visitors(caddy: Caddy, slots: TwoSlots) -> None:
    for pairs, said in [
        (f"blue={slots.addresses['blue']},green=127.0.0.1:9", "nothing answers"),
        (f"blue={slots.addresses['blue']},green={caddy.admin.removeprefix('http://')}", "/readyz answers 404"),
    ]:
        done = run("--admin", caddy.admin, "--slots", pairs, "green")
        assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    assert straight(caddy, slots, "green", "--revision", "0" * 40).returncode == 1
    assert served_by(caddy) == "blue"


@on_tcp
def test_what_is_not_there_is_told_apart(caddy: Caddy, slots: TwoSlots) -> None:
    pairs = "blue=10.0.0.1:1,green=10.0.0.1:2"
    nothing = run("--admin", caddy.admin, "--slots", pairs, "green")
    assert (nothing.returncode, "no upstream at" in nothing.stderr) == (1, True)
    caddy.stop()
    assert straight(caddy, slots, "green").returncode == 3


@on_tcp
def test_sites_of_one_slot_and_other_upstreams_are_left(caddy: Caddy, slots: TwoSlots) -> None:
    blue, green = slots.addresses["blue"], slots.addresses["green"]
    more = f"http://blue.localhost:{caddy.port} {{{{\n\treverse_proxy {blue}\n}}}}\n"
    same = blue.replace("127.0.0.1", "localhost")
    more += f"http://other.localhost:{caddy.port} {{{{\n\treverse_proxy /a/* {same} 10.0.0.9:1\n}}}}\n"
    caddy.write(GLOBAL + SITE + more)
    assert caddy.reload().returncode == 0
    assert straight(caddy, slots, "green").returncode == 0
    assert sorted(caddy.dials()) == sorted([blue, green, green, "10.0.0.9:1"])


@on_tcp
def test_the_file_of_the_caddyfile_follows(caddy: Caddy, slots: TwoSlots, tmp_path: Path) -> None:
    conf = tmp_path / "upstream.conf"
    conf.write_text(f"reverse_proxy {slots.addresses['blue']}\n")
    assert straight(caddy, slots, "green", "--upstream-conf", str(conf)).returncode == 0
    assert conf.read_text() == f"reverse_proxy {slots.addresses['green']}\n"


KILLER = """#!/bin/bash
# The real curl; the script that called it is killed before or after its call number $KILL_AT.
count=$(($(cat "$KILL_COUNT" 2>/dev/null || echo 0) + 1))
echo $count >"$KILL_COUNT"
script=$(cat "$KILL_PID")
[ "$KILL_WHEN$KILL_AT" != "before$count" ] || { kill -9 "$script"; exit 1; }
/usr/bin/curl "$@"
status=$?
[ "$KILL_WHEN$KILL_AT" != "after$count" ] || kill -9 "$script"
exit $status
"""


@on_tcp
def test_killed_at_any_step_it_leaves_one_slot_that_serves(caddy: Caddy, slots: TwoSlots, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    killer = tmp_path / "bin" / "curl"
    killer.write_text(KILLER)
    killer.chmod(0o755)
    seen: list[tuple[str, int, bool, str]] = []
    for when in ("before", "after"):
        for at in range(1, 10):
            assert straight(caddy, slots, "blue").returncode == 0
            killed = killed_at(caddy, slots, tmp_path, when, at)
            [dial] = caddy.dials()
            assert dial in slots.addresses.values()
            seen.append((when, at, killed, served_by(caddy)))
            if not killed:
                break
    assert {killed for _, _, killed, _ in seen} == {True, False}
    assert {slot for _, _, killed, slot in seen if killed} == {"blue", "green"}
    assert all(slot == "green" for _, _, killed, slot in seen if not killed)
    assert len([one for one in seen if one[2]]) >= 12, seen


MEDDLER = """#!/bin/bash
# The real curl; right before a change somebody else makes another one.
case "$*" in *PATCH*) /usr/bin/curl -s -X PATCH -H 'Content-Type: application/json' -d '"7s"' "$GRACE" ;; esac
exec /usr/bin/curl "$@"
"""


@on_tcp
def test_somebody_elses_change_is_not_overwritten(caddy: Caddy, slots: TwoSlots, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    meddler = tmp_path / "bin" / "curl"
    meddler.write_text(MEDDLER)
    meddler.chmod(0o755)
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    done = straight(caddy, slots, "green", PATH=path, GRACE=f"{caddy.admin}/config/apps/http/grace_period")
    assert (done.returncode, "nothing was overwritten" in done.stderr) == (1, True), done.stderr
    assert caddy.config("/config/apps/http/grace_period") == "7s"
    assert served_by(caddy) == "blue"


def killed_at(caddy: Caddy, slots: TwoSlots, folder: Path, when: str, at: int) -> bool:
    """Whether it was; it runs to its end when it has fewer steps."""
    pid, count = folder / "pid", folder / "count"
    count.unlink(missing_ok=True)
    pairs = ",".join(f"{slot}={address}" for slot, address in slots.addresses.items())
    said = {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "KILL_AT": str(at),
        "KILL_WHEN": when,
        "KILL_PID": str(pid),
        "KILL_COUNT": str(count),
    }
    line = f"echo $$ >{pid}; exec {SCRIPT} --admin {caddy.admin} --slots {pairs} green"
    done = subprocess.run(["bash", "-c", line], env=environ(**said), capture_output=True, timeout=30, check=False)
    return done.returncode == -9
