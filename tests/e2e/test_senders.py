"""Those who report deployments, run as they are run in CI, against a real origin."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.processes import Running, fetch, free_port

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy" / "action" / "report.sh"
KAMAL = ROOT / "deploy" / "kamal"
TOKEN = "deploy-secret-token"
A = "a" * 40


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("senders")
    environ = {"CHIMNEY_DEPLOY_TOKEN": TOKEN, "CHIMNEY_READ_TOKEN": "read", "CHIMNEY_REPO": "acme/rocket",
               "CHIMNEY_GITHUB_API_URL": f"http://127.0.0.1:{free_port()}"}  # fmt: skip
    running = Running("origin", "--listen", f"127.0.0.1:{free_port()}", folder=folder, environ=environ)
    assert running.url
    yield running
    running.close()


class Job:
    """A job of GitHub Actions: its environment, and its folder of temporary files."""

    def __init__(self, origin: Running, folder: Path, run: int) -> None:
        self.folder = folder
        self._output = folder / "output"
        self._environ = {
            "PATH": os.environ["PATH"], "CHIMNEY_URL": origin.url, "CHIMNEY_DEPLOY_TOKEN": TOKEN,
            "GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": str(run), "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "deploy",
            "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/rocket",
            "GITHUB_OUTPUT": str(self._output), "RUNNER_TEMP": str(folder), "REPORT_REVISION": f"{run:040x}",
        }  # fmt: skip

    def step(self, **said: str) -> "subprocess.CompletedProcess[str]":
        return run([str(SCRIPT)], **{**self._environ, **said})

    def output(self) -> str:
        return self._output.read_text()


def run(command: list[str], **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)


def timeline(origin: Running, revision: str) -> list[dict[str, Any]]:
    return [one for one in fetch(f"{origin.url}/api/deploy/events")["items"] if one["revision"] == revision]


def later(folder: Path, seconds: int) -> None:
    """The clock between the two steps: the job began that long ago."""
    [mark] = folder.glob("chimney-deploy-*")
    mark.write_text(f"{int(mark.read_text()) - seconds}\n")


def test_a_job_records_its_start_and_its_end_with_the_right_duration(origin: Running, tmp_path: Path) -> None:
    job = Job(origin, tmp_path, 4711)
    message = 'Say "no" to C:\\dumps (#7)\n\nA\ttab, an ümlaut, a bell \a'
    said = {"REPORT_MESSAGE": message, "REPORT_ACTOR": "ada", "REPORT_SLOT": "green"}
    began = time.time()
    started = job.step(**said)
    assert (started.returncode, started.stdout.startswith("chimney: recorded started of")) == (0, True), started
    [running] = timeline(origin, f"{4711:040x}")
    assert (running["phase"], running["actor"], running["slot"]) == ("started", "ada", "green")
    assert (running["pr"]["number"], running["pr"]["title"]) == (7, 'Say "no" to C:\\dumps')
    assert running["message"] == message.replace("\a", "")
    assert running["run_url"] == "https://github.com/acme/rocket/actions/runs/4711"
    later(tmp_path, 90)
    ended = job.step(**said, REPORT_STATUS="success")
    assert ended.returncode == 0
    [done] = timeline(origin, f"{4711:040x}")
    assert (done["phase"], done["reports"]) == ("succeeded", 2)
    assert 90 <= done["duration_seconds"] <= 90 + time.time() - began + 1
    assert f"deployment={done['id']}" in job.output()


@pytest.mark.parametrize(("number", "status"), [(1, "failure"), (2, "cancelled")])
def test_a_job_that_does_not_succeed_has_failed(origin: Running, tmp_path: Path, number: int, status: str) -> None:
    job = Job(origin, tmp_path, number)
    job.step()
    job.step(REPORT_STATUS=status)
    assert [one["phase"] for one in timeline(origin, f"{number:040x}")] == ["failed"]


def test_a_step_that_is_run_again_is_recorded_once(origin: Running, tmp_path: Path) -> None:
    job = Job(origin, tmp_path, 3)
    for _ in range(2):
        assert job.step().returncode == 0
    [one] = timeline(origin, f"{3:040x}")
    assert one["reports"] == 1


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"CHIMNEY_DEPLOY_TOKEN": "wrong-token"}, "CHIMNEY_DEPLOY_TOKEN"),
        ({"REPORT_REVISION": "main"}, "$.revision"),
        ({"CHIMNEY_URL": ""}, "CHIMNEY_URL is not set"),
        ({"CHIMNEY_URL": "http://127.0.0.1:1", "REPORT_RETRIES": "0"}, "was not recorded"),
    ],
    ids=["wrong token", "no revision", "no address", "nobody there"],
)
def test_what_is_not_recorded_is_a_warning_unless_it_is_required(
    origin: Running, tmp_path: Path, said: dict[str, str], told: str
) -> None:
    job = Job(origin, tmp_path, 5)
    warned = job.step(**said)
    assert (warned.returncode, warned.stdout.startswith("::warning title=chimney::")) == (0, True), warned
    assert told in warned.stdout
    assert "wrong-token" not in warned.stdout + warned.stderr
    assert job.step(**said, REPORT_REQUIRED="true").returncode == 1
    assert timeline(origin, f"{5:040x}") == []


def test_kamal_s_hooks_record_a_deployment(origin: Running, tmp_path: Path) -> None:
    for hook in ("pre-deploy", "post-deploy"):
        shutil.copy(KAMAL / hook, tmp_path)
    shutil.copy(SCRIPT, tmp_path / "chimney-report.sh")
    kamal = {
        "PATH": os.environ["PATH"], "CHIMNEY_URL": origin.url, "CHIMNEY_DEPLOY_TOKEN": TOKEN,
        "KAMAL_VERSION": f"{A}_uncommitted_0123456789abcdef", "KAMAL_PERFORMER": "grace", "KAMAL_COMMAND": "deploy",
        "KAMAL_DESTINATION": "staging", "KAMAL_SERVICE_VERSION": "rocket@aaaaaaa", "KAMAL_HOSTS": "10.0.0.1",
    }  # fmt: skip
    first = run([str(tmp_path / "pre-deploy")], **kamal, KAMAL_RECORDED_AT="2026-11-24T10:00:00Z")
    second = run([str(tmp_path / "post-deploy")], **kamal, KAMAL_RECORDED_AT="2026-11-24T10:00:47Z", KAMAL_RUNTIME="47")
    assert (first.returncode, second.returncode) == (0, 0), (first, second)
    [one] = timeline(origin, A)
    assert (one["phase"], one["environment"], one["actor"]) == ("succeeded", "staging", "grace")
    assert (one["duration_seconds"], one["message"]) == (47, "kamal deploy rocket@aaaaaaa")


def test_curl_as_the_document_shows_it_records_a_deployment(origin: Running, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "deploy" / "report.md").read_text().split("## With curl")[1]
    command, report = (part.split("```")[0] for part in text.split("```sh\n")[1:2] + text.split("```json\n")[1:2])
    (tmp_path / "report.json").write_text(report)
    command = command.replace("https://origin.example.org", origin.url)
    done = subprocess.run(
        command, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False,
        env={"PATH": os.environ["PATH"], "CHIMNEY_DEPLOY_TOKEN": TOKEN},
    )  # fmt: skip
    assert done.returncode == 0, done
    accepted = json.loads(done.stdout)["deployment"]
    assert (accepted["phase"], accepted["duration_seconds"], accepted["pr"]["number"]) == ("succeeded", 47, 183)


def test_the_scripts_are_sound() -> None:
    checked = subprocess.run(
        ["shellcheck", SCRIPT, KAMAL / "pre-deploy", KAMAL / "post-deploy"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout


def test_the_action_gives_the_script_what_it_reads() -> None:
    action, script = (ROOT / "deploy" / "action" / "action.yml").read_text(), SCRIPT.read_text()
    given = {line.split(":")[0].strip() for line in action.splitlines() if line.strip().startswith(("REPORT_", "CHIM"))}
    assert given >= {"CHIMNEY_URL", "CHIMNEY_DEPLOY_TOKEN", "REPORT_STATUS", "REPORT_REVISION", "REPORT_REQUIRED"}
    assert {name for name in given if f"${{{name}:-" not in script} == set()
