"""What GitHub says of its webhooks and of what it delivered to them, as far as it is read."""

from chimney.wire.base import Message, Timestamp


class HookConfig(Message, frozen=True, kw_only=True):
    url: str = ""


class Hook(Message, frozen=True, kw_only=True):
    id: int
    active: bool = True
    config: HookConfig = HookConfig()


class HookDelivery(Message, frozen=True, kw_only=True):
    """One attempt. `status` is `OK` when it was answered with success; a redelivery has the same `guid`."""

    id: int
    guid: str
    delivered_at: Timestamp
    status: str
    event: str
