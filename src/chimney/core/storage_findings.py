"""Findings about the table itself: its store, and whether it has anything to look at."""

from datetime import datetime, timedelta

from chimney.core.facts import Facts, StorageFacts
from chimney.core.finding_of import of_table
from chimney.wire.finding import Evidence, Finding, Severity

RECENT = timedelta(minutes=5)
NEARLY_FULL_PCT = 85.0
DAMAGE_SHOWN = timedelta(days=1)


def storage_full(facts: Facts, now: datetime) -> Finding | None:
    storage = facts.storage
    if storage.full_since is None:
        return _nearly_full(storage, now)
    return of_table(
        "storage_full",
        severity=Severity.CRITICAL,
        since=storage.full_since,
        title=f"The table cannot store: new data waits since {storage.full_since:%H:%M} UTC",
        detail=f"The {storage.rows:,} records stored before stay readable. Nothing new is stored or shown; the origins"
        " keep their last 1,000 records, so what comes later than that is lost if this lasts.",
        evidence=[Evidence(what="error", value=storage.full_detail or "", at=storage.full_since), *_refused(facts)],
        remedy="Make room on the disk of the table's data folder, or lower CHIMNEY_TABLE_RETENTION_BYTES and restart."
        " The table goes on by itself as soon as it can write.",
    )


def _refused(facts: Facts) -> list[Evidence]:
    """What senders of OTLP were told to send again meanwhile."""
    seen, since = facts.receiver.refused, facts.storage.full_since
    if seen is None or since is None or seen.at < since:
        return []
    said = f"{facts.receiver.requests:,} requests with {seen.count:,} rows"
    return [Evidence(what="senders told to try again", value=said, at=seen.at)]


def _nearly_full(storage: StorageFacts, now: datetime) -> Finding | None:
    if storage.used_pct is None or storage.used_pct < NEARLY_FULL_PCT:
        return None
    left = "" if storage.days_left is None else f", and full in {storage.days_left:,.1f} days if it goes on like this"
    return of_table(
        "storage_full",
        severity=Severity.WARNING,
        since=now,
        title=f"The disk of the table is {storage.used_pct:.0f} % full{left}",
        detail="With too little room left, data older than a day is dropped, the oldest first; when that is not enough,"
        " new data is refused.",
        evidence=[Evidence(what="free", value=f"{storage.free_bytes / 1e9:,.1f} GB", at=now)],
        remedy="Make room on the disk of the table's data folder, or lower CHIMNEY_TABLE_RETENTION_BYTES and restart.",
    )


def storage_damaged(facts: Facts, now: datetime) -> Finding | None:
    storage = facts.storage
    if storage.damage is None or storage.damaged_at is None or now - storage.damaged_at > DAMAGE_SHOWN:
        return None
    return of_table(
        "storage_damaged",
        severity=Severity.WARNING,
        since=storage.damaged_at,
        title="A damaged file of the table was set aside",
        detail=f"{storage.damage}. Some records from before may be missing.",
        evidence=[Evidence(what="file", value=storage.damage, at=storage.damaged_at)],
        remedy="Keep the file until it is clear that nothing in it is needed (sqlite3 FILE .recover reads most of it)."
        " Check the disk: dmesg, smartctl. This notice goes away after a day.",
    )


def own_dropped(facts: Facts, now: datetime) -> Finding | None:
    seen = facts.storage.dropped
    if seen is None or now - seen.at > RECENT:
        return None
    return of_table(
        "log_dropped",
        severity=Severity.WARNING,
        since=seen.at,
        title="Log records of the table itself are missing",
        detail=seen.text,
        evidence=[Evidence(what="records missing", value=f"{seen.count:,}", at=seen.at)],
        remedy="They were written to stderr all the same. Look at the load of the table's disk.",
    )


def no_data(facts: Facts, now: datetime) -> Finding | None:
    if facts.origins:
        return None
    return of_table(
        "no_data",
        severity=Severity.INFO,
        since=now,
        title="No origin is configured",
        detail="The table follows nothing, so there is nothing to show.",
        evidence=[],
        remedy="Name the origins to follow: CHIMNEY_TABLE_ORIGINS=name=https://origin.example.org, or [[table.origins]]"
        " in chimney.toml; then start the table again.",
    )
