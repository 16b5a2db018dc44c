"""What of the first screen changed since it was told: with many origins most of it did not. No I/O, no clock."""

from collections.abc import Sequence
from typing import Any

from chimney.wire.origin import OriginState, Overview, OverviewChanged

MANY = 20  # with fewer origins the whole is told each time: ~8 kB each
MOST_BASES = 8
_FIELDS = tuple(name for name in OriginState.__struct_fields__ if name != "name")


class Deltas:
    """Every reader holds one of the bases, and gets what differs from any of them: what was told last, and what was
    answered whole since then."""

    def __init__(self) -> None:
        self._bases: list[Overview] = []

    def held(self, whole: Overview) -> None:
        """Somebody was given the whole."""
        self._bases.append(whole)
        if len(self._bases) > MOST_BASES:
            self._bases = []  # too many to compare with: the whole is told next

    def tell(self, now: Overview) -> Overview | OverviewChanged:
        bases, self._bases = self._bases, [now]
        names = [origin.name for origin in now.origins]
        if len(names) < MANY or not bases or any([one.name for one in base.origins] != names for base in bases):
            return now
        origins = [_changed(origin, [base.origins[i] for base in bases]) for i, origin in enumerate(now.origins)]
        return OverviewChanged(
            at=now.at,
            version=now.version,
            log_rate_per_second=now.log_rate_per_second,
            errors_last_5_min=now.errors_last_5_min,
            findings=now.findings if any(base.findings != now.findings for base in bases) else None,
            changes=now.changes if any(base.changes != now.changes for base in bases) else None,
            origins=[one for one in origins if len(one) > 1],
        )


def _changed(now: OriginState, before: Sequence[OriginState]) -> dict[str, Any]:
    """Its name, and whatever is not the same in all of these."""
    changed: dict[str, Any] = {"name": now.name}
    for field in _FIELDS:
        value = getattr(now, field)
        if any(not _same(getattr(one, field), value) for one in before):
            changed[field] = value
    return changed


def _same(one: object, other: object) -> bool:
    return one is other or one == other
