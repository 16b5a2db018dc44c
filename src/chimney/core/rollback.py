"""Ways back: whether a past deployment can be returned to, and which later ones bring back what was rolled back."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from chimney.core.deployment import same_revision
from chimney.wire.deployment import BadRevision, Deployment, Phase, SlotState, Way, WayBack

Contains = Callable[[str, str], bool | None]  # whether the second has the first in its history; None: not known


class Means(NamedTuple):
    """With what one could go back. `slots` are as observed; `workflow` deploys a revision when it is dispatched."""

    active_slot: str | None
    slots: Mapping[str, SlotState]
    can_switch: bool
    workflow: str | None
    can_dispatch: bool


def live_revision(deployments: Sequence[Deployment], means: Means) -> str | None:
    """What visitors get now: what the active slot runs, else what was last deployed with success."""
    active = means.slots.get(means.active_slot or "")
    good = [one.revision for one in deployments if one.phase is Phase.SUCCEEDED]
    return (active.revision if active else None) or (good[-1] if good else None)


def live_deployment(deployments: Sequence[Deployment], means: Means) -> Deployment | None:
    """The deployment, oldest first, that brought what visitors get now."""
    live = live_revision(deployments, means)
    good = [one for one in deployments if one.phase is Phase.SUCCEEDED and live and same_revision(one.revision, live)]
    return good[-1] if good else None


def way_back(one: Deployment, *, live: str | None, means: Means) -> WayBack:
    """How to return to a deployment, or why that cannot be done."""
    refusal = _refusal(one, live)
    if refusal:
        return WayBack(possible=False, why=refusal)
    slot, unfit = _slot_with(one.revision, means)
    if slot and means.can_switch:
        return WayBack(possible=True, how=Way.SWITCH, slot=slot)
    if means.workflow and means.can_dispatch:
        return WayBack(possible=True, how=Way.WORKFLOW)
    return WayBack(possible=False, slot=slot, why=f"{_no_switch(slot, unfit)}, and {_no_workflow(means)}")


def _refusal(one: Deployment, live: str | None) -> str | None:
    if one.rolled_back:
        reason = one.rolled_back.reason or "nobody said why"
        return f"it was rolled back itself by {one.rolled_back.by or 'somebody'}: {reason}"
    if one.phase is Phase.STARTED:
        return "it has not ended"
    if one.phase is not Phase.SUCCEEDED:
        return "it did not succeed"
    if live and same_revision(one.revision, live):
        return "it is what runs now"
    return None


def _slot_with(revision: str, means: Means) -> tuple[str | None, str | None]:
    """The idle slot that is ready and still runs it; else why none can take over."""
    unfit = None
    for name, state in means.slots.items():
        if name == means.active_slot or not state.revision or not same_revision(state.revision, revision):
            continue
        if state.healthy:
            return name, None
        what = state.problem or "nobody has asked it whether it is ready (CHIMNEY_SLOTS)"
        unfit = f"slot {name} has it, but {what}"
    return None, unfit


def _no_switch(slot: str | None, unfit: str | None) -> str:
    if slot:
        return f"slot {slot} still runs it, but no edge is known that could be switched (CHIMNEY_CADDY_ADMIN)"
    return unfit or "no slot runs it any more"


def _no_workflow(means: Means) -> str:
    if not means.workflow:
        return "no workflow is known that could deploy it again (CHIMNEY_DEPLOY_WORKFLOW)"
    return "there is no GitHub token to start the workflow with (CHIMNEY_GITHUB_TOKEN)"


def rolled_back_before(one: Deployment, deployments: Sequence[Deployment]) -> list[BadRevision]:
    """What was rolled back in its place before it began, the latest first."""
    marks = [
        BadRevision(
            revision=other.revision,
            deployment=other.id,
            by=other.rolled_back.by,
            reason=other.rolled_back.reason,
            at=other.rolled_back.at,
        )
        for other in deployments
        if other.rolled_back and other.environment == one.environment and other.rolled_back.at < one.started_at
    ]
    return sorted(marks, key=lambda mark: mark.at, reverse=True)


def contained(deployments: Sequence[Deployment], contains: Contains) -> dict[str, BadRevision]:
    """By deployment: the revision that was rolled back and that it brings again.

    Told of every deployment after the rollback, up to the first that succeeded with it: then somebody has decided.
    """
    found: dict[str, BadRevision] = {}
    settled: set[str] = set()
    for one in deployments:  # oldest first
        for bad in rolled_back_before(one, deployments):
            if bad.deployment not in settled and contains(bad.revision, one.revision):
                found.setdefault(one.id, bad)
                settled |= {bad.deployment} if one.phase is Phase.SUCCEEDED else set()
    return found


def questions(deployments: Sequence[Deployment]) -> list[tuple[str, str]]:
    """The pairs of revisions of which `contained` wants to know, the latest first."""
    pairs = [
        (bad.revision, one.revision) for one in reversed(deployments) for bad in rolled_back_before(one, deployments)
    ]
    return [pair for pair in dict.fromkeys(pairs) if not same_revision(*pair)]
