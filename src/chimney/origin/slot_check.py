"""What a slot says when it is asked directly: whether it is ready, and what it runs. No redirect is followed."""

import asyncio

import msgspec

from chimney.core.redact import safe
from chimney.origin.prober import Answered, Prober
from chimney.wire.edge import Slot, SlotCheck


class Expected(msgspec.Struct, frozen=True):
    """What a slot should be. `named`: it should say which slot it is, because this origin does."""

    repo: str | None = None
    named: bool = False
    revision: str | None = None
    revision_needed: bool = False


class _Version(msgspec.Struct):
    repo: str | None = None
    slot: str | None = None
    revision: str | None = None


class SlotChecks:
    """Asks the slots at the addresses that Caddy uses."""

    def __init__(self, addresses: dict[Slot, str], prober: Prober) -> None:
        self.addresses = addresses
        self._prober = prober

    async def check(self, slot: Slot, expected: Expected) -> SlotCheck:
        """Never raises: what is wrong is `fault`."""
        base = f"http://{self.addresses[slot]}"
        ready, version = await asyncio.gather(
            self._prober.ask(f"{base}/readyz"), self._prober.ask(f"{base}/api/version")
        )
        said, fault = _version(version)
        if not ready.result.ok:
            fault = f"/readyz: {ready.result.error}"
        elif fault is None:
            fault = fault_of(said, slot, expected)
        revision = safe(said.revision, longest=64) if said and said.revision else None
        return SlotCheck(
            slot=slot,
            address=self.addresses[slot],
            ready=fault is None,
            status=ready.result.status,
            revision=revision,
            fault=fault,
        )

    async def busy(self, slot: Slot) -> tuple[int | None, int | None]:
        """Requests in flight and open streams, as the slot says; None when it does not."""
        answered = await self._prober.ask(f"http://{self.addresses[slot]}/healthz")
        try:
            health = msgspec.json.decode(answered.body, type=_Health)
        except msgspec.DecodeError:
            return None, None
        return health.requests_in_flight, health.streams

    async def close(self) -> None:
        await self._prober.close()


class _Health(msgspec.Struct):
    streams: int | None = None
    requests_in_flight: int | None = None


def _version(answered: Answered) -> tuple[_Version | None, str | None]:
    """What the slot says of itself, and what is wrong with that. It need not have an /api/version."""
    if not answered.result.ok:
        return None, None if answered.result.status == 404 else f"/api/version: {answered.result.error}"
    try:
        return msgspec.json.decode(answered.body, type=_Version), None
    except (msgspec.DecodeError, RecursionError):
        return None, "its /api/version is not that of a chimney origin"


def fault_of(version: _Version | None, slot: Slot, expected: Expected) -> str | None:
    """Why a ready slot is not what it should be; None when it is."""
    if version is None:
        return "it does not say what it runs (no /api/version)" if expected.revision_needed else None
    if version.slot is not None and version.slot != slot:
        return f"it says that it is slot {safe(version.slot, longest=40)}"
    if expected.repo and version.repo is None:
        return "it was started without its configuration: it names no repository (CHIMNEY_REPO)"
    if expected.named and version.slot is None:
        return "it was started without its configuration: it names no slot (CHIMNEY_SLOT)"
    if expected.repo and version.repo != expected.repo:
        return f"it serves another repository, {safe(version.repo or '', longest=150)}"
    return _revision_fault(version.revision, expected)


def _revision_fault(revision: str | None, expected: Expected) -> str | None:
    wanted = expected.revision
    if wanted is None:
        return None
    if revision is None:
        return f"it does not say its revision, and {wanted[:12]} is wanted" if expected.revision_needed else None
    said, sought = revision.lower(), wanted.lower()
    same = said.startswith(sought) or sought.startswith(said)
    return None if same else f"it runs revision {safe(said, longest=64)[:12]}, and {sought[:12]} is wanted"
