"""What a deploy report must be, and the form in which it is kept."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from chimney.wire.deployment import DeployReport, Phase
from chimney.wire.problem import Fault

SLOTS = ("blue", "green")
FUTURE = timedelta(minutes=5)  # clocks of CI machines differ by seconds, not by minutes
_REVISION = re.compile(r"[0-9a-fA-F]{7,64}")
_ID = re.compile(r"[\x21-\x7e]{1,200}")
_ALIASES = {"sha": "revision", "duration_s": "duration_seconds", "deployed_at": "at"}
_OUTCOMES = {"success": Phase.SUCCEEDED, "failure": Phase.FAILED}
_TYPES = {field.name: field.type for field in msgspec.structs.fields(DeployReport) if field.name != "source"}


class BadReportError(Exception):
    """The report cannot be kept; every fault with its path."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.path}: {fault.detail}" for fault in faults))
        self.faults = faults


def _canonical(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Names as we keep them; null means absent; unknown names are left out."""
    fields = {_ALIASES.get(name, name): value for name, value in raw.items() if value is not None and value != ""}
    if "outcome" in fields and "phase" not in fields:
        fields["phase"] = _OUTCOMES.get(str(fields["outcome"]), fields["outcome"])
    return {name: value for name, value in fields.items() if name in _TYPES}


def parse_report(raw: Mapping[str, Any], *, now: datetime, environment: str, new_id: str) -> DeployReport:
    """The report in the form in which it is kept. Raises BadReportError with every fault that was found.

    `at` defaults to now, `environment` to the origin's own, `id` to `new_id`.
    """
    fields = {"at": now, "environment": environment, "id": new_id, **_canonical(raw)}
    faults = [Fault(path=f"$.{name}", detail="is missing") for name in ("phase", "revision") if name not in fields]
    kept: dict[str, Any] = {}
    for name, value in fields.items():
        try:
            kept[name] = msgspec.convert(value, _TYPES[name], strict=False)
        except msgspec.ValidationError as error:
            faults.append(Fault(path=f"$.{name}", detail=str(error)))
    faults += _out_of_range(kept, now)
    if faults:
        raise BadReportError(faults)
    return DeployReport(**{**kept, "revision": kept["revision"].lower()})


def _is_url(value: str | None) -> bool:
    return value is None or (value.startswith(("https://", "http://")) and len(value) <= 2_000)


def _at_most(length: int) -> tuple[Callable[[str | None], bool], str]:
    return lambda value: value is None or len(value) <= length, f"should be at most {length:,} characters"


_URL = (_is_url, "should be a http URL of at most 2,000 characters")
_CHECKS: dict[str, tuple[Callable[[Any], object], str]] = {
    "revision": (_REVISION.fullmatch, "should be a Git revision: 7 to 64 hexadecimal digits"),
    "id": (_ID.fullmatch, "should be 1 to 200 printable ASCII characters"),
    "slot": (lambda value: value is None or value in SLOTS, "should be blue or green"),
    "environment": (lambda value: 0 < len(value) <= 64, "should be 1 to 64 characters"),
    "duration_seconds": (lambda value: value is None or 0 <= value < 1e7, "should be seconds, not negative"),
    "run_url": _URL,
    "environment_url": _URL,
    "pr_number": (lambda value: value is None or 0 < value < 2**53, "should be a positive number"),
    "message": _at_most(10_000),
    "reason": _at_most(2_000),
    "pr_title": _at_most(1_000),
    "actor": _at_most(200),
    "origin_ips": (
        lambda value: len(value) <= 100 and all(len(address) <= 100 for address in value),
        "should be at most 100 addresses of at most 100 characters",
    ),
}


def _out_of_range(kept: Mapping[str, Any], now: datetime) -> list[Fault]:
    faults = [
        Fault(path=f"$.{name}", detail=detail)
        for name, (is_right, detail) in _CHECKS.items()
        if name in kept and not is_right(kept[name])
    ]
    if "at" in kept and kept["at"] > now + FUTURE:
        faults.append(Fault(path="$.at", detail="lies in the future; is the sender's clock right?"))
    return faults
