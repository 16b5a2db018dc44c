"""Findings about the table's own process: loops that fail, falling behind, nobody who is told."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from chimney.core.facts import Facts
from chimney.core.finding_of import of_table
from chimney.wire.finding import Evidence, Finding, Severity

RECENT = timedelta(minutes=5)
LATE_SECONDS = 2.0
LATE_SHOWN = timedelta(seconds=30)
FAILURES = 3  # in a row
BEHIND_ROWS = 40_000  # at 50,000 senders are refused


def loops_failing(facts: Facts, _now: datetime) -> Iterator[Finding]:
    for name, seen in facts.own.loops:
        yield of_table(
            "loop_failing",
            part=name,
            severity=Severity.WARNING,
            since=seen.at,
            title=f"A part of the table does not work: {name}",
            detail="It failed and is tried again, at least once a minute. What it does is not done meanwhile.",
            evidence=[Evidence(what="error", value=seen.text, at=seen.at)],
            remedy="The log of source table has it with its stack. Look at the findings about storage first; else"
            " please report it as an issue.",
        )


def notification_failing(facts: Facts, _now: datetime) -> Iterator[Finding]:
    for known, name, seen in facts.own.undelivered:
        if seen.count < FAILURES:
            continue
        yield of_table(
            "notification_failing",
            part=known,
            severity=Severity.WARNING,
            since=seen.at,
            title=f"Nobody is told through {name}",
            detail=f"The last {seen.count:,} attempts failed. It is tried again, and told then what is so then.",
            evidence=[Evidence(what="error", value=seen.text, at=seen.at)],
            remedy="Send a test from the settings page once the address, the token or the network is mended. One that"
            " is not used any more: take it out of the configuration.",
        )


def own_panic(facts: Facts, now: datetime) -> Finding | None:
    seen = facts.own.panic
    if seen is None or now - seen.at > RECENT or facts.own.loops:
        return None
    return of_table(
        "panic",
        severity=Severity.WARNING,
        since=seen.at,
        title="The table met an error of its own",
        detail="A request or a loop of the table failed because of a fault in chimney. It goes on.",
        evidence=[Evidence(what="log", value=seen.text, at=seen.at)],
        remedy="The log of source table has it with its stack. Please report it as an issue.",
    )


def behind(facts: Facts, now: datetime) -> Finding | None:
    own = facts.own
    late = own.lag_at is not None and now - own.lag_at < LATE_SHOWN and own.lag_seconds >= LATE_SECONDS
    if not late and own.waiting_rows < BEHIND_ROWS:
        return None
    return of_table(
        "table_behind",
        severity=Severity.WARNING,
        since=now,
        title="The table is behind",
        detail="It does not get to do in time what it should. What is shown is late, and what it says of slow origins"
        " may be its own slowness.",
        evidence=[
            Evidence(what="late by", value=f"{own.lag_seconds:.1f} s", at=own.lag_at),
            Evidence(what="rows that wait to be stored", value=f"{own.waiting_rows:,}", at=now),
        ],
        remedy="Look at the load and the disk of the table's machine. If it follows many origins or takes much"
        " telemetry, give it more, or sample traces and raise the least log level of the senders.",
    )
