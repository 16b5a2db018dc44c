"""The webhook and its deliveries. `Hooks` is bound to the one hook that there is."""

import msgspec

from chimney.standin.answers import Answer, Ask, by_id, done, found, missing, page_of
from chimney.standin.bodies.base import Body
from chimney.standin.clock import stamp
from chimney.standin.webhooks import HOOK, Delivery, Hook


class Hooks:
    def __init__(self, hook: Hook) -> None:
        self._hook = hook

    def hooks(self, ask: Ask) -> Answer:
        self._owner_only(ask)
        return found([self._body(ask)] if self._hook.url else [])

    def hook(self, ask: Ask) -> Answer:
        self._known(ask)
        return found(self._body(ask))

    def deliveries(self, ask: Ask) -> Answer:
        """Newest first. `cursor` is the id before which to go on; `status` is success or failure."""
        self._known(ask)
        cursor, status = ask.count("cursor", 0), ask.query.get("status")
        chosen = [
            one
            for one in reversed(self._hook.deliveries)
            if (not cursor or one.id < cursor) and (status is None or (status == "success") == (one.status == "OK"))
        ]
        size = page_of(ask)[1]
        link = None
        if len(chosen) > size:
            link = f'<{by_id(ask)}?per_page={size}&cursor={chosen[size - 1].id}>; rel="next"'
        return found([self._delivery_body(ask, one) for one in chosen[:size]], link=link)

    def delivery(self, ask: Ask) -> Answer:
        one = self._delivery(ask)
        return found(self._delivery_body(ask, one) | {
            "url": self._hook.url,
            "request": {"headers": one.request_headers, "payload": msgspec.Raw(one.payload)},
            "response": {"headers": {}, "payload": one.response},
        })  # fmt: skip

    def attempt(self, ask: Ask) -> Answer:
        self._hook.again(self._delivery(ask))
        return done(202, {})

    def ping(self, ask: Ask) -> Answer:
        self._known(ask)
        self._hook.ping()
        return done(204)

    def _owner_only(self, ask: Ask) -> None:
        if not ask.signed:
            raise missing()

    def _known(self, ask: Ask) -> None:
        self._owner_only(ask)
        if self._hook.url is None or ask.number("hook") != HOOK:
            raise missing()

    def _delivery(self, ask: Ask) -> Delivery:
        self._known(ask)
        one = self._hook.find(ask.number("delivery"))
        if one is None:
            raise missing()
        return one

    def _body(self, ask: Ask) -> Body:
        url = f"{ask.view.api}/hooks/{HOOK}"
        last = self._hook.deliveries[-1] if self._hook.deliveries else None
        return {
            "type": "Repository",
            "id": HOOK,
            "name": "web",
            "active": True,
            "events": ["*"],
            "config": {"content_type": "json", "insecure_ssl": "0", "secret": "********", "url": self._hook.url},
            "updated_at": stamp(ask.repo.created_at),
            "created_at": stamp(ask.repo.created_at),
            "url": url,
            "test_url": f"{url}/test",
            "ping_url": f"{url}/pings",
            "deliveries_url": f"{url}/deliveries",
            "last_response": {
                "code": last.status_code if last else None, "status": last.status if last else "unused",
                "message": None,
            },
        }  # fmt: skip

    def _delivery_body(self, ask: Ask, one: Delivery) -> Body:
        return {
            "id": one.id,
            "guid": one.guid,
            "delivered_at": stamp(one.at),
            "redelivery": one.redelivery,
            "duration": one.duration,
            "status": one.status,
            "status_code": one.status_code,
            "event": one.event,
            "action": one.action,
            "installation_id": None,
            "repository_id": ask.repo.id,
            "throttled_at": stamp(one.at) if one.status == "throttled" else None,
        }
