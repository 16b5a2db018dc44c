"""Acts as requests to an origin: what each takes, what it sends, how long it may take. Pure."""

from collections.abc import Callable
from typing import Any, NamedTuple

from chimney.wire.act import Act, ActDescription, ActRequest

LONGEST_REASON = 500
EVERY_ACT = ("origin", "reason")


class ActFaultError(Exception):
    """The request cannot be an act. `path` is where: `$.slot`."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.path = path
        self.detail = detail


class Call(NamedTuple):
    """A POST to the origin, and the seconds in which its answer should be there."""

    path: str
    body: dict[str, Any]
    seconds: float


class Rule(NamedTuple):
    """`needs` must be given, `takes` may be; `path` is where the origin takes it."""

    does: str
    path: str
    says: Callable[[ActRequest], str]
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    hurts: bool = False
    seconds: float = 15.0


def _run(asked: ActRequest) -> str:
    return f"run {asked.run_id}"


def _for(seconds: float | None) -> str | None:
    return f"for {seconds:g} s" if seconds else None


RULES: dict[Act, Rule] = {
    Act.INVALIDATE: Rule(
        "Drops stored responses of GitHub, so that they are fetched anew.",
        "/api/cache/invalidate",
        takes=("path", "all"),
        says=lambda asked: "everything" if asked.all else asked.path or "",
    ),
    Act.WARM: Rule(
        "Fetches the usual paths, or those named, into the cache.",
        "/api/cache/warm",
        takes=("paths",),
        says=lambda asked: ", ".join(asked.paths) if asked.paths else "the usual paths",
    ),
    Act.LOG_LEVEL: Rule(
        "Changes what is logged, for a while or until the process ends.",
        "/api/log-level",
        needs=("level",),
        takes=("logger", "for_seconds"),
        says=lambda asked: " ".join(filter(None, (asked.level, asked.logger, _for(asked.for_seconds)))),
    ),
    Act.RERUN: Rule("Runs a workflow run again, all jobs.", "/api/pipeline/rerun", _run, ("run_id",), ("repo",)),
    Act.RERUN_FAILED: Rule(
        "Runs the failed jobs of a workflow run again.", "/api/pipeline/rerun_failed", _run, ("run_id",), ("repo",)
    ),
    Act.CANCEL: Rule("Cancels a workflow run.", "/api/pipeline/cancel", _run, ("run_id",), ("repo",), hurts=True),
    Act.APPROVE: Rule(
        "Approves the deployment that a workflow run waits with.",
        "/api/pipeline/approve",
        needs=("run_id",),
        takes=("repo", "environment"),
        hurts=True,
        says=lambda asked: f"run {asked.run_id}" + (f" for {asked.environment}" if asked.environment else ""),
    ),
    Act.DISPATCH: Rule(
        "Starts a workflow.",
        "/api/pipeline/dispatch",
        needs=("workflow",),
        takes=("repo", "ref", "inputs"),
        hurts=True,
        says=lambda asked: f"{asked.workflow} on {asked.ref or 'the default branch'}",
    ),
    Act.SWITCH: Rule(
        "Has Caddy send visitors to the other slot, after checking it.",
        "/api/edge/switch",
        needs=("slot", "reason"),
        hurts=True,
        seconds=60.0,
        says=lambda asked: f"to {asked.slot}",
    ),
    Act.ROLLBACK: Rule(
        "Goes back to an earlier deployment, and marks the revision that is left as bad.",
        "/api/deploy/rollback",
        needs=("deployment", "reason"),
        hurts=True,
        seconds=60.0,
        says=lambda asked: f"to deployment {asked.deployment}",
    ),
}


def call_of(act: Act, asked: ActRequest) -> Call:
    """What the origin is asked. Raises ActFaultError when the act needs more, or takes less."""
    rule = RULES[act]
    known = (*rule.needs, *rule.takes)
    given = {name: getattr(asked, name) for name in asked.__struct_fields__ if getattr(asked, name) is not None}
    for name in rule.needs:
        if given.get(name) in (None, ""):
            raise ActFaultError(f"$.{name}", f"is needed to {act.replace('_', ' ')}")
    for name in given:
        if name not in known and name not in EVERY_ACT:
            takes = ", ".join(known) or "origin and reason only"
            raise ActFaultError(f"$.{name}", f"{act} does not take it; it takes {takes}")
    if asked.reason and len(asked.reason) > LONGEST_REASON:
        raise ActFaultError("$.reason", f"should be at most {LONGEST_REASON} characters")
    if act is Act.INVALIDATE and bool(asked.all) == (asked.path is not None):
        raise ActFaultError("$", "should have either path or all: true")
    body = {
        name: value for name, value in given.items() if name != "origin" and (name in known or _reasoned(act, name))
    }
    return Call(rule.path, body, rule.seconds)


def _reasoned(act: Act, name: str) -> bool:
    """Whether the origin is told the reason too; the audit keeps it in any case."""
    return name == "reason" and act is not Act.WARM and act is not Act.LOG_LEVEL


def said(act: Act, asked: ActRequest) -> str:
    """The act in words, for the audit and the answer: `switch to green`."""
    return f"{act.replace('_', ' ')} {RULES[act].says(asked)}".strip()


def described() -> list[ActDescription]:
    return [
        ActDescription(act=act, does=rule.does, needs=list(rule.needs), takes=list(rule.takes), hurts=rule.hurts)
        for act, rule in RULES.items()
    ]
