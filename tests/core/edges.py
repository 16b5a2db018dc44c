"""An edge that is well, to spoil in tests."""

from typing import Any

import msgspec
from tests.core.origins import NOW, ago

from chimney.wire.edge import AccessLog, Edge, EdgeProxy, Pointing, Reloads, Slot, SlotCheck, TailState, Upstream
from chimney.wire.event import Event

SLOTS: dict[Slot, str] = {"blue": "127.0.0.1:8081", "green": "127.0.0.1:8082"}


def check(slot: Slot, **more: Any) -> SlotCheck:
    usual = {"address": SLOTS[slot], "ready": True, "status": 200, "revision": "a" * 40, "fault": None}
    return SlotCheck(slot=slot, **{**usual, **more})


def dead(slot: Slot) -> SlotCheck:
    return check(slot, ready=False, status=None, fault="/readyz: connection refused")


def switched(slot: Slot, **ago_: float) -> Event:
    return Event(kind="switch", at=ago(**ago_), message="switched", data={"result": "done", "slot": slot})


def edge(**more: Any) -> Edge:
    """Visitors go to blue; green is ready too."""
    upstream = Upstream(address=SLOTS["blue"], slot="blue")
    return Edge(
        **{
            "reachable": True,
            "trouble": None,
            "detail": None,
            "admin": "http://127.0.0.1:2019",
            "version": "2.8.4",
            "checked_at": ago(seconds=2),
            "pointing": Pointing.ACTIVE,
            "active_slot": "blue",
            "slots": dict(SLOTS),
            "upstreams": [upstream],
            "proxies": [EdgeProxy(path="p", server="srv0", hosts=[], upstreams=[upstream], slot="blue")],
            "reloads": Reloads(watched=[], failures=0, last=None),
            "access_log": AccessLog(
                path=None,
                state=TailState.NOT_CONFIGURED,
                detail=None,
                last_line_at=None,
                last_line_age_seconds=None,
                lines=0,
                malformed=0,
                too_long=0,
                rotations=0,
            ),
            "checks": [check("blue"), check("green")],
            "last_switch": None,
            "said": [],
            "id": "e1",
            **more,
        }
    )


def elsewhere(*answers: bool) -> Edge:
    """It points to addresses that are no slots; whether something answers at each."""
    upstreams = [Upstream(address=f"10.0.0.{i}:80", slot=None, answers=one) for i, one in enumerate(answers)]
    return msgspec.structs.replace(edge(), pointing=Pointing.ELSEWHERE, active_slot=None, upstreams=upstreams)


AT = NOW
