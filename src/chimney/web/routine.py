"""What machines ask all day: probes, scrapes and the table's own questions. Visitors are not looked for among it."""

from collections.abc import Iterable

from chimney.web.record import RequestRecord

PROBES = frozenset(("/livez", "/readyz", "/healthz", "/api/metrics"))


TABLE = b"chimney-table/"  # how its agent begins


def is_routine(record: RequestRecord) -> bool:
    return record.route in PROBES or record.agent.startswith(TABLE)


def visitors(records: Iterable[RequestRecord]) -> list[RequestRecord]:
    """Those that are not routine."""
    return [one for one in records if one.route not in PROBES and not one.agent.startswith(TABLE)]
