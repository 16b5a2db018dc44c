"""What Caddy's configuration says about slots, and what a switch changes in it. No I/O.

A configuration that came from a Caddyfile has no names: its proxies are found wherever they are, by `"handler":
"reverse_proxy"`, and addressed by their place. Only what is below `…/upstreams` of a proxy of ours is ever changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from chimney.core.redact import safe
from chimney.wire.edge import EdgeProxy, Pointing, Reloads, Slot, SlotCheck, Upstream

DEEPEST = 60
MOST_PROXIES = 200
_LOOPBACK = frozenset(("", "localhost", "127.0.0.1", "[::1]", "::1", "0.0.0.0", "[::]"))  # noqa: S104 — compared only

Slots = Mapping[Slot, str]
Path = tuple[str | int, ...]


class Found(msgspec.Struct, frozen=True):
    """A `reverse_proxy` where it stands. `hosts` are those of the route matchers above it."""

    path: Path
    upstreams: Sequence[Any]
    server: str | None
    hosts: tuple[str, ...]


class Reading(msgspec.Struct, frozen=True):
    proxies: list[EdgeProxy]
    pointing: Pointing
    active: Slot | None


class Change(msgspec.Struct, frozen=True):
    """`path` below `/config/` and the list of upstreams that goes there."""

    path: str
    before: list[Any]
    after: list[Any]


class Counts(msgspec.Struct, frozen=True):
    """What Caddy says of an upstream."""

    num_requests: int | None = None
    fails: int | None = None


def normal(address: str) -> str:
    """One spelling of an upstream's address: `localhost:8081`, `:8081` and `tcp/127.0.0.1:8081` are the same."""
    text = address.strip().lower()
    for network in ("tcp/", "tcp4/", "tcp6/", "http://"):
        text = text.removeprefix(network)
    if text.startswith("unix"):
        return text
    host, colon, port = text.rpartition(":")
    if not colon:
        return text
    return f"{'127.0.0.1' if host in _LOOPBACK else host}:{port}"


def slot_of(address: str, slots: Slots) -> Slot | None:
    here = normal(address)
    return next((slot for slot, known in slots.items() if normal(known) == here), None)


def dial(upstream: object) -> str:
    """The address of an upstream; empty when it has none (it may then come from a lookup)."""
    said = upstream.get("dial") if isinstance(upstream, dict) else None
    return said if isinstance(said, str) else ""


def find(config: object) -> list[Found]:
    """Every reverse proxy of the configuration, in its order, at most `MOST_PROXIES`."""
    found: list[Found] = []
    for one in _walk(config, (), None, ()):
        found.append(one)
        if len(found) == MOST_PROXIES:
            break
    return found


def _walk(node: object, path: Path, server: str | None, hosts: tuple[str, ...]) -> Iterator[Found]:
    if len(path) > DEEPEST:
        return
    if isinstance(node, list):
        for place, inner in enumerate(node):
            yield from _walk(inner, (*path, place), server, hosts)
    elif isinstance(node, dict):
        if node.get("handler") == "reverse_proxy":
            upstreams = node.get("upstreams")
            yield Found(path, upstreams if isinstance(upstreams, list) else [], server, hosts)
        above = hosts + _hosts(node.get("match"))
        for key, inner in node.items():
            within = str(key) if path[-1:] == ("servers",) else server
            yield from _walk(inner, (*path, str(key)), within, above)


def _hosts(matchers: object) -> tuple[str, ...]:
    if not isinstance(matchers, list):
        return ()
    named = [one.get("host") for one in matchers if isinstance(one, dict)]
    return tuple(host for hosts in named if isinstance(hosts, list) for host in hosts if isinstance(host, str))


def read(config: object, slots: Slots, counts: Mapping[str, Counts]) -> Reading:
    """Where the configuration points. `counts` are Caddy's figures by normal address."""
    proxies = [_told(one, slots, counts) for one in find(config)]
    pointing, active = _verdict(proxies, slots)
    return Reading(proxies, pointing, active)


def told_upstream(address: str, slots: Slots, counts: Mapping[str, Counts]) -> Upstream:
    known = counts.get(normal(address), Counts())
    return Upstream(
        address=safe(address, longest=200),
        slot=slot_of(address, slots),
        in_flight=known.num_requests,
        fails=known.fails,
    )


def upstreams(reading: Reading, slots: Slots, counts: Mapping[str, Counts]) -> list[Upstream]:
    """Every upstream once: those of the configuration, then those that Caddy still has requests for."""
    named = {normal(one.address): one for proxy in reading.proxies for one in proxy.upstreams}
    listed = {address: told_upstream(address, slots, counts) for address in counts}
    return list((named | {address: one for address, one in listed.items() if address not in named}).values())


def _told(found: Found, slots: Slots, counts: Mapping[str, Counts]) -> EdgeProxy:
    upstreams = [told_upstream(dial(one), slots, counts) for one in found.upstreams]
    of_slots = {one.slot for one in upstreams if one.slot}
    return EdgeProxy(
        path=address_of(found.path),
        server=found.server and safe(found.server, longest=100),
        hosts=[safe(host, longest=253) for host in found.hosts[:20]],
        upstreams=upstreams,
        slot=of_slots.pop() if len(of_slots) == 1 else None,
    )


def _verdict(proxies: Sequence[EdgeProxy], slots: Slots) -> tuple[Pointing, Slot | None]:
    if not proxies:
        return Pointing.NO_PROXY, None
    if not slots:
        return Pointing.NO_SLOTS, None
    named = [_slots_named(proxies[place]) for place in following(proxies)]
    if any(len(of_proxy) > 1 for of_proxy in named):
        return Pointing.BOTH, None
    active: set[Slot] = {slot for of_proxy in named for slot in of_proxy}
    if not active:
        return Pointing.ELSEWHERE, None
    return (Pointing.SPLIT, None) if len(active) > 1 else (Pointing.ACTIVE, active.pop())


def _slots_named(proxy: EdgeProxy) -> set[Slot]:
    return {one.slot for one in proxy.upstreams if one.slot}


def following(proxies: Sequence[EdgeProxy]) -> list[int]:
    """Places of the proxies that a switch moves: those that name a slot.

    A site of one slot, such as blue.example.org, always shows that slot: beside others it is not moved.
    """
    named = [place for place, proxy in enumerate(proxies) if _slots_named(proxy)]
    moved = [place for place in named if not _is_fixed(proxies[place])]
    return moved or named


def _is_fixed(proxy: EdgeProxy) -> bool:
    return bool(proxy.hosts) and all(host.partition(".")[0] in ("blue", "green") for host in proxy.hosts)


def plan(config: object, slots: Slots, target: Slot) -> list[Change]:
    """What to change so that every proxy that follows points to `target`. Empty when all do. Nothing else changes.

    An upstream keeps its other settings. When the list names the target already, the other slot is left out of it.
    """
    found = find(config)
    changes = []
    for place in following([_told(one, slots, {}) for one in found]):
        one = found[place]
        before = list(one.upstreams)
        after = _pointed(before, slots, target)
        if after != before:
            changes.append(Change(f"{address_of(one.path)}/upstreams", before, after))
    return changes


def _pointed(upstreams: list[Any], slots: Slots, target: Slot) -> list[Any]:
    others = [slot for slot in slots if slot != target]
    has_target = any(slot_of(dial(one), slots) == target for one in upstreams)
    pointed = []
    for one in upstreams:
        if slot_of(dial(one), slots) not in others:
            pointed.append(one)
        elif not has_target:
            pointed.append({**one, "dial": slots[target]})
            has_target = True
    return pointed


def address_of(path: Path) -> str:
    return "/".join(quote(str(part), safe="") for part in path)


def at(config: object, address: str) -> Any:
    """What stands at an address that `plan` gave; None when nothing does."""
    node: Any = config
    for part in address.split("/"):
        if isinstance(node, list):
            node = node[int(part)] if part.isdigit() and int(part) < len(node) else None
        else:
            node = (
                next((inner for key, inner in node.items() if quote(str(key), safe="") == part), None)
                if isinstance(node, dict)
                else None
            )
    return node


def etag(path: str, body: bytes) -> str:
    """The `ETag` that Caddy 2.5.2 to 2.7 sends as a trailer, which clients do not show: path and FNV-1a of the body."""
    digest = 0x811C9DC5
    for byte in body:
        digest = (digest ^ byte) * 0x01000193 & 0xFFFFFFFF
    return f'"{path} {digest:08x}"'


def said(reading: Reading, checks: Sequence[SlotCheck], reloads: Reloads) -> list[str]:
    """What a person should know, the worst first; empty when all is as it should be."""
    told = _of_slots(reading.active, checks)
    told += [_OF_POINTING[reading.pointing]] if reading.pointing in _OF_POINTING else []
    if reading.pointing is Pointing.ELSEWHERE:
        named = ", ".join(one.address for proxy in reading.proxies for one in proxy.upstreams) or "nothing"
        told.append(f"no reverse_proxy points to a slot of CHIMNEY_SLOTS; they point to {named[:300]}")
    if len(following(reading.proxies)) > 1 and reading.pointing is Pointing.ACTIVE:
        told.append(f"{len(following(reading.proxies))} reverse proxies point to the slot; a switch moves all of them")
    if reloads.last:
        told.append(f"Caddy goes on with the configuration before: it refused a newer one: {reloads.last.message}")
    return told


def _of_slots(active: Slot | None, checks: Sequence[SlotCheck]) -> list[str]:
    faults = sorted((one for one in checks if one.fault), key=lambda one: one.slot != active)
    return [
        f"visitors are sent to {one.slot}, and it is not well: {one.fault}"
        if one.slot == active
        else f"{one.slot} could not take visitors: {one.fault}"
        for one in faults
    ]


_OF_POINTING = {
    Pointing.NO_PROXY: "Caddy's configuration has no reverse_proxy: it sends visitors to no slot",
    Pointing.NO_SLOTS: "CHIMNEY_SLOTS is not set, so no address can be told to be a slot",
    Pointing.SPLIT: "some reverse proxies point to blue and some to green; a switch brings them together",
    Pointing.BOTH: "one reverse_proxy names both slots, so visitors get either; a switch leaves one",
}
