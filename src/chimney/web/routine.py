"""What machines ask all day: probes, scrapes and the table's own questions. Visitors are not looked for among it."""

from chimney.web.record import RequestRecord

PROBES = frozenset(("/livez", "/readyz", "/healthz", "/api/metrics"))


def is_routine(record: RequestRecord) -> bool:
    return record.route in PROBES or record.agent.startswith(b"chimney-table/")
