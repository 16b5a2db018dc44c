"""How often a password may be guessed.

- One browser that signed in before (it carries a device's cookie): 5 wrong ones in 15 minutes. What others do does not
  concern it, so nobody can keep the right person out by guessing.
- Anybody else: 5 in 15 minutes for a user from an address, 30 from an address for all users together,
  and for a user from all addresses together 50, then one every 10 seconds (8,640 a day, of 2^40 and more).

Everything is bounded: the oldest are forgotten first. No clock, `now` is Unix seconds.
"""

import ipaddress
from collections import deque
from collections.abc import Hashable
from typing import Any

import msgspec

WINDOW_SECONDS = 900.0
OF_PAIR = 5
OF_ADDRESS = 30
OF_USER = 50
OF_USER_SECONDS = 10.0
REMEMBERED = 10_000
_IPV6_PREFIX = 64  # one subscriber has 2^64 addresses


class Asker(msgspec.Struct, frozen=True):
    """Who tries a password; `device` is None for a browser that never signed in as this user."""

    address: str
    user: str
    device: bytes | None = None


class Block(msgspec.Struct, frozen=True):
    """`seconds` until a password is looked at again, and why that is."""

    seconds: float
    why: str


def network(address: str) -> str:
    """What counts as one address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False))


class Window:
    """At most `many` in the last 15 minutes, for each key."""

    def __init__(self, many: int) -> None:
        self._many = many
        self._times: dict[Hashable, deque[float]] = {}

    def __len__(self) -> int:
        return len(self._times)

    def wait(self, key: Hashable, now: float) -> float:
        times = self._times.get(key)
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        if not times or len(times) < self._many:
            return 0.0
        return times[0] + WINDOW_SECONDS - now

    def note(self, key: Hashable, now: float) -> None:
        times = self._times.pop(key, None)
        if times is None:
            times = deque(maxlen=self._many)
            _make_room(self._times)
        times.append(now)
        self._times[key] = times

    def forget(self, key: Hashable) -> None:
        self._times.pop(key, None)


class Bucket:
    """`many` at once, then one each `seconds`, for each key. Keeps one figure: until when what was used is used up."""

    def __init__(self, many: int, seconds: float) -> None:
        self._most = (many - 1) * seconds
        self._seconds = seconds
        self._until: dict[Hashable, float] = {}

    def wait(self, key: Hashable, now: float) -> float:
        return max(0.0, self._until.get(key, now) - now - self._most)

    def note(self, key: Hashable, now: float) -> None:
        until = max(self._until.pop(key, now), now) + self._seconds
        _make_room(self._until)
        self._until[key] = until


class Attempts:
    """Wrong passwords of late."""

    def __init__(self) -> None:
        self.of_device = Window(OF_PAIR)
        self.of_pair = Window(OF_PAIR)
        self.of_address = Window(OF_ADDRESS)
        self.of_user = Bucket(OF_USER, OF_USER_SECONDS)

    def blocked(self, asker: Asker, now: float) -> Block | None:
        """None when a password is looked at now."""
        if asker.device:
            return _block(self.of_device.wait((asker.device, asker.user), now), "for this user from your browser")
        address = network(asker.address)
        return (
            _block(self.of_pair.wait((address, asker.user), now), "for this user from your address")
            or _block(self.of_address.wait(address, now), "from your address")
            or _block(self.of_user.wait(asker.user, now), "for this user from many addresses")
        )

    def wrong(self, asker: Asker, now: float) -> None:
        if asker.device:
            self.of_device.note((asker.device, asker.user), now)
            return
        address = network(asker.address)
        self.of_pair.note((address, asker.user), now)
        self.of_address.note(address, now)
        self.of_user.note(asker.user, now)

    def right(self, asker: Asker) -> None:
        """Forgets what they typed wrong, not what counts for others too: a guesser's own account would clear it."""
        self.of_device.forget((asker.device, asker.user))
        self.of_pair.forget((network(asker.address), asker.user))


def _block(seconds: float, why: str) -> Block | None:
    return Block(seconds, why) if seconds > 0 else None


def _make_room(known: dict[Hashable, Any]) -> None:
    if len(known) >= REMEMBERED:
        del known[next(iter(known))]
