"""Findings about the edge: whether Caddy answers, where it sends visitors, and whether what runs there is what should.

One edge may be watched by several origins (both slots ask the same Caddy): all draw the same, by the edge's id.
"""

from datetime import datetime, timedelta

from chimney.core.deployment import same_revision
from chimney.core.facts import OriginFacts
from chimney.core.finding_of import of_origin
from chimney.wire.act import Act
from chimney.wire.deployment import Deployment, Phase
from chimney.wire.edge import Edge, Pointing, Slot, SlotCheck, Trouble
from chimney.wire.finding import Evidence, Finding, FindingAct, Severity

OLD = timedelta(seconds=60)  # an edge that was seen so long ago says nothing about now
SETTLED = timedelta(seconds=30)  # whoever reports a deployment may switch after it, or the other way round
_QUIET = frozenset((Trouble.NOT_CONFIGURED, Trouble.UNKNOWN))
_MOVABLE = frozenset((Pointing.ACTIVE, Pointing.SPLIT, Pointing.BOTH))
_CONFIGURE = "Point Caddy to a slot: correct its configuration, or CHIMNEY_SLOTS at the origin."
_LOOK = {
    Trouble.NO_SOCKET: "Check that Caddy runs, and that CHIMNEY_CADDY_ADMIN names its admin socket.",
    Trouble.REFUSED: "Start Caddy (systemctl status caddy says why it ended), or correct CHIMNEY_CADDY_ADMIN.",
    Trouble.PERMISSION: "Let the origin's user write to Caddy's admin socket.",
    Trouble.HOST_NOT_ALLOWED: "Name the origin's way in Caddy's admin `origins`.",
    Trouble.NOT_CADDY: "Correct CHIMNEY_CADDY_ADMIN: something else answers there.",
}
_POINTING = {
    Pointing.ELSEWHERE: "It points to addresses that are no slot of CHIMNEY_SLOTS.",
    Pointing.NO_PROXY: "Its configuration has no reverse_proxy at all.",
    Pointing.SPLIT: "Some of its proxies point to blue and some to green.",
    Pointing.BOTH: "One of its proxies names both slots, so visitors get either.",
}


def _edge(origin: OriginFacts, now: datetime) -> Edge | None:
    """As it was seen lately; None where there is none, or nobody could look."""
    edge = origin.edge
    if origin.failure or edge is None or edge.trouble in _QUIET:
        return None
    return edge if edge.checked_at and abs(now - edge.checked_at) < OLD else None


def _switch(origin: OriginFacts, edge: Edge, slot: str, why: str) -> FindingAct | None:
    """To that slot, if it may take visitors; a switch moves only proxies that name a slot."""
    ready = any(check.slot == slot and check.ready for check in edge.checks)
    movable = edge.pointing in _MOVABLE
    return FindingAct(act=Act.SWITCH, origin=origin.name, slot=slot, reason=why) if ready and movable else None


def unreachable(origin: OriginFacts, now: datetime) -> Finding | None:
    edge = _edge(origin, now)
    if edge is None or edge.reachable:
        return None
    well = ", ".join(check.slot for check in edge.checks if check.ready)
    return of_origin(
        "edge_unreachable",
        origin,
        shared=True,
        part=edge.id,
        severity=Severity.CRITICAL,
        since=edge.checked_at or now,
        title=f"Caddy's admin API does not answer origin {origin.name}",
        detail="Where Caddy sends visitors is not known, and it cannot be switched. If Caddy itself is down, visitors"
        + (f" are not served, though {well} could serve them." if well else " are not served."),
        evidence=[Evidence(what=edge.trouble or "trouble", value=edge.detail or edge.admin or "", at=edge.checked_at)],
        remedy=_LOOK.get(
            edge.trouble or Trouble.UNREACHABLE,
            "Check that Caddy runs, and that the origin reaches its admin API at CHIMNEY_CADDY_ADMIN.",
        ),
    )


def no_healthy_upstream(origin: OriginFacts, now: datetime) -> Finding | None:
    """A slot that is dead because its origin is, as its own probe says, is that origin's finding."""
    edge = _edge(origin, now)
    if edge is None or not edge.reachable:
        return None
    why = _unhealthy(origin, edge)
    if why is None:
        return None
    other = next((check.slot for check in edge.checks if check.ready and check.slot != edge.active_slot), None)
    return of_origin(
        "edge_no_healthy_upstream",
        origin,
        shared=True,
        part=edge.id,
        severity=Severity.CRITICAL,
        since=edge.checked_at or now,
        title="Caddy sends visitors to where nobody answers",
        detail=f"{why[0].value}. Visitors get an error instead of the service.",
        evidence=why,
        remedy=_CONFIGURE
        if edge.pointing is Pointing.ELSEWHERE
        else f"Switch visitors to {other}, which is ready; then see why the other one does not answer."
        if other
        else "Start the slot that Caddy points to; its log says why it ended. No other slot is ready to take visitors.",
        act=_switch(origin, edge, other, "the active slot does not answer") if other else None,
    )


def _unhealthy(origin: OriginFacts, edge: Edge) -> list[Evidence] | None:
    dead = origin.peers.dead if origin.peers else frozenset()
    if edge.pointing is Pointing.ELSEWHERE:
        named = [one for one in edge.upstreams if one.answers is not None]
        if any(one.answers for one in named) or (edge.upstreams and not named):
            return None
        told = ", ".join(one.address for one in named) or "no address at all"
        return [Evidence(what="upstreams", value=f"Caddy points to {told}, and nothing answers there"[:300])]
    active = {edge.active_slot} if edge.active_slot else {one.slot for one in edge.upstreams if one.slot}
    checks = [check for check in edge.checks if check.slot in active]
    if not checks or not all(_down(check) for check in checks):
        return None
    if all((edge.id, check.slot) in dead or (None, check.slot) in dead for check in checks):
        return None
    return [
        Evidence(what=check.slot, value=f"Slot {check.slot} at {check.address}: {check.fault}", at=edge.checked_at)
        for check in checks
    ]


def _down(check: SlotCheck) -> bool:
    """A slot that answers, and is another one than it should be, is no dead one."""
    return not check.ready and check.status != 200


def wrong_upstream(origin: OriginFacts, now: datetime) -> Finding | None:
    edge = _edge(origin, now)
    if edge is None or not edge.reachable or _unhealthy(origin, edge):
        return None
    wanted = wanted_slot(origin, edge, now)
    if edge.pointing in _POINTING:
        why = _POINTING[edge.pointing]
    elif edge.active_slot and wanted and edge.active_slot != wanted[0]:
        why = f"It points to {edge.active_slot}, and {wanted[1]}."
    else:
        return None
    to = wanted[0] if wanted else None
    named = ", ".join(one.address for one in edge.upstreams) or "none"
    return of_origin(
        "edge_wrong_upstream",
        origin,
        shared=True,
        part=edge.id,
        severity=Severity.CRITICAL,
        since=edge.checked_at or now,
        title=f"Caddy sends visitors to {edge.active_slot}, not to {to}"
        if edge.active_slot
        else "Caddy does not send visitors to one slot",
        detail=f"{why} Visitors do not see what was deployed last.",
        evidence=[
            Evidence(what="Caddy points to", value=named[:300], at=edge.checked_at),
            *([Evidence(what="should be", value=f"{to}: {wanted[1]}")] if wanted else []),
        ],
        remedy=f"Switch visitors to {to}. If it is meant to be as it is, switch to {edge.active_slot or 'that slot'}"
        " here: a switch is believed."
        if to and edge.pointing in _MOVABLE
        else _CONFIGURE,
        act=_switch(origin, edge, to, "Caddy points elsewhere") if to else None,
    )


def wanted_slot(origin: OriginFacts, edge: Edge, now: datetime) -> tuple[str, str] | None:
    """Where visitors should be, and why: the last switch or the last deployment to a slot, whichever is newer.

    None while that is so new that the other may still follow, and when neither is known."""
    known: list[tuple[datetime, str, str]] = []
    switch = edge.last_switch
    if switch and switch.data.get("result") in ("done", "unchanged") and switch.data.get("slot"):
        known.append((switch.at, str(switch.data["slot"]), "that is where somebody switched to last"))
    deployed = _last_live(origin)
    if deployed and deployed.slot:
        said = f"{deployed.slot} was deployed to last ({deployed.revision[:7]})"
        known.append((deployed.ended_at or deployed.started_at, deployed.slot, said))
    if not known or (origin.deploy and origin.deploy.in_progress):
        return None
    at, slot, why = max(known)
    return (slot, why) if slot in edge.slots and now - at >= SETTLED else None


def _last_live(origin: OriginFacts) -> Deployment | None:
    recent = origin.deploy.recent_deploys if origin.deploy else []
    return next((one for one in recent if one.phase is Phase.SUCCEEDED and one.slot), None)


def reload_refused(origin: OriginFacts, now: datetime) -> Finding | None:
    edge = _edge(origin, now)
    last = edge.reloads.last if edge else None
    if edge is None or last is None:
        return None
    would = "would refuse its configuration file" if last.source == "file" else "refused a configuration"
    return of_origin(
        "edge_reload_refused",
        origin,
        shared=True,
        part=edge.id,
        severity=Severity.WARNING,
        since=last.at,
        title=f"Caddy {would}",
        detail="It goes on with the configuration before, so what was changed is not in force; a restart of Caddy would"
        " fail, and leave visitors without service.",
        evidence=[Evidence(what=last.source, value=last.message[:500], at=last.at)],
        remedy="Correct the line that the message names (a global options block has to stand first in the Caddyfile),"
        " check it with caddy validate, and reload Caddy.",
    )


def slot_mismatch(origin: OriginFacts, now: datetime) -> Finding | None:
    found = _mismatch(origin, now)
    if found is None:
        return None
    slot, why, at = found
    edge = _edge(origin, now)
    active = edge.active_slot if edge else origin.deploy.active_slot if origin.deploy else None
    other = next((check.slot for check in edge.checks if check.ready and check.slot != slot), None) if edge else None
    return of_origin(
        "slot_mismatch",
        origin,
        shared=True,
        part=slot,
        severity=Severity.CRITICAL if slot == active else Severity.WARNING,
        since=at or now,
        title=f"Slot {slot} does not run what was deployed to it",
        detail=f"In slot {slot}: {why}."
        + (" Visitors are sent there." if slot == active else " No visitors are sent there now."),
        evidence=[Evidence(what=f"slot {slot}", value=why, at=at)],
        remedy=f"Deploy to {slot} again: the last deployment was only half done, or something else was started there."
        + (f" Until then {other} is ready to take visitors." if other and slot == active else ""),
        act=_switch(origin, edge, other, f"{slot} runs something else than was deployed")
        if edge and other and slot == active
        else None,
    )


def _mismatch(origin: OriginFacts, now: datetime) -> tuple[Slot | str, str, datetime | None] | None:
    """A slot, what is wrong with what runs in it, and when that was seen. Nothing while a deployment goes on."""
    if origin.failure or (origin.peers and origin.peers.deploying):
        return None
    edge = _edge(origin, now)
    for check in edge.checks if edge else ():
        if check.fault and check.status == 200:
            return check.slot, check.fault, edge.checked_at if edge else now
    last = origin.deploy.last_deploy if origin.deploy else None
    for slot, state in origin.deploy.slots.items() if origin.deploy else ():
        failed = last and last.slot == slot and last.phase is Phase.FAILED
        if failed or not state.deployed or not state.revision or not state.observed_at:
            continue
        if not same_revision(state.deployed, state.revision) and now - state.observed_at < OLD:
            return slot, f"it runs {state.revision[:12]}, and {state.deployed[:12]} was deployed", state.observed_at
    return None
