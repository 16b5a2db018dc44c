"""Logs: GitHub sends the asker elsewhere, to an address that is good for a minute."""

import io
import zipfile
from hashlib import sha256

from chimney.standin.answers import Answer, Ask, redirected
from chimney.standin.clock import stamp
from chimney.standin.endpoints.runs import one_job, one_run
from chimney.standin.model import Job, Run
from chimney.standin.repository import RefusedError

LIFETIME = 60
TEXT = b"text/plain; charset=utf-8"
_EXPIRED = (
    b'<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code>'
    b"<Message>Signature not valid in the specified time frame</Message></Error>"
)


def job_logs(ask: Ask) -> Answer:
    return _elsewhere(ask, f"/_logs/jobs/{one_job(ask)[1].id}")


def run_logs(ask: Ask) -> Answer:
    return _elsewhere(ask, f"/_logs/runs/{one_run(ask).id}")


def _elsewhere(ask: Ask, path: str) -> Answer:
    if not ask.signed:
        raise RefusedError("Must have admin rights to Repository.", status=403)
    expires = int(ask.real) + LIFETIME
    return redirected(302, f"{ask.view.base}{path}?se={expires}&sig={_signature(path, str(expires))}")


def _signature(path: str, expires: str) -> str:
    return sha256(f"{path} {expires}".encode()).hexdigest()[:32]


def job_text(ask: Ask) -> Answer:
    run, job = one_job(ask)
    return _good_for_a_minute(ask) or Answer(body="".join(_lines(run, job)).encode(), content_type=TEXT)


def run_archive(ask: Ask) -> Answer:
    """A ZIP with a text for each job."""
    refusal = _good_for_a_minute(ask)
    if refusal is not None:
        return refusal
    run, packed = one_run(ask), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for index, job in enumerate(run.jobs):
            archive.writestr(f"{index}_{job.plan.name}.txt", "".join(_lines(run, job)))
    return Answer(body=packed.getvalue(), content_type=b"application/zip")


def _good_for_a_minute(ask: Ask) -> Answer | None:
    expires = ask.query.get("se", "")
    good = ask.query.get("sig") == _signature(ask.path, expires) and ask.real < int(expires)
    return None if good else Answer(status=403, body=_EXPIRED, content_type=b"application/xml")


def _lines(run: Run, job: Job) -> list[str]:
    """What a runner prints, colours and workflow commands included."""
    if job.started_at is None:
        return []
    at, lines = job.started_at, list[str]()
    lines.append(_line(at, f"Current runner version: '2.330.0' (GitHub Actions {job.runner})"))
    for index, step in enumerate(job.plan.steps):
        at += 1.7
        lines += [
            _line(at, f"##[group]Run {step}"),
            _line(at, f"\x1b[36;1m{step.lower()}\x1b[0m"),
            _line(at, "##[endgroup]"),
        ]
        if job.completed_at is None:
            return lines
        if job.conclusion not in {"success", None} and index == job.plan.fails_at:
            lines.append(_line(at, f"\x1b[31;1m1 failed\x1b[0m in {step.lower()} at {run.sha[:7]}"))
            return [*lines, _line(at, "##[error]Process completed with exit code 1.")]
        lines.append(_line(at, f"{step}: done"))
    return [*lines, _line(job.completed_at or at, "Cleaning up orphan processes")]


def _line(at: float, text: str) -> str:
    return f"{stamp(at)[:-1]}.{int(at * 1e7) % 10_000_000:07d}Z {text}\n"
