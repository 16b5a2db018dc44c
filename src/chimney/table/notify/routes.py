"""Notifications as they are asked about: receivers, what was sent, a test."""

from collections.abc import Callable
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from chimney.table.access import OPERATOR, VIEWER, AnyRequest, asker_of
from chimney.table.audit import Audit, asked_of_table
from chimney.table.notify.receiver import Receiver
from chimney.web.problem import ProblemError
from chimney.wire.audit import Result
from chimney.wire.notification import Notifications, NotifyTested

Told = Callable[[], Notifications]
Find = Callable[[str], Receiver | None]


def routes(told: Told, find: Find, audit: Audit) -> list[Any]:
    @get("/api/notifications", opt=VIEWER, summary="Who is notified, and how that goes", tags=["notifications"])
    async def notifications() -> Response[Notifications]:
        """Receivers without their addresses, what was sent lately, quiet windows, the heartbeat."""
        return Response(told(), headers={"cache-control": "no-store"})

    @post(
        "/api/notifications/{target:str}/test",
        opt=OPERATOR,
        status_code=200,
        summary="Send a test to a receiver",
        tags=["notifications"],
    )
    async def test(request: AnyRequest, target: FromPath[str]) -> NotifyTested:
        """Answers when it was delivered, or could not be: up to half a minute. Audited before and after."""
        receiver = find(target)
        if receiver is None:
            raise ProblemError(404, "not-found", f"There is no receiver {target[:40]!r}.")
        did, body = f"send a test to {receiver.label}", {"target": receiver.id}
        kept = await audit.before(asked_of_table(*asker_of(request), act="notify_test", did=did, body=body))
        tested = await receiver.test()
        await audit.after(kept, Result.DONE if tested.ok else Result.FAILED, detail=tested.error)
        return tested

    return [notifications, test]
