"""What the table keeps, and for how long."""

from chimney.wire.base import Message, Timestamp


class SignalStorage(Message, frozen=True, kw_only=True):
    """Of `log`, `span` or `sample`. `bytes` are those of sealed segments; rows that are not sealed yet are in the
    journal. `oldest_at` is None while nothing is kept."""

    signal: str
    rows: int
    unsealed_rows: int
    segments: int
    bytes: int
    oldest_at: Timestamp | None
    retention_days: float
    retention_bytes: int


class StorageState(Message, frozen=True, kw_only=True):
    """`days_left` is when the disk is full if it goes on as in the last hour, None while nothing grows. Below
    `free_floor_bytes` of room the oldest rows go early. `damage` says what was set aside."""

    signals: list[SignalStorage]
    bytes: int
    journal_bytes: int
    retention_bytes: int
    disk_total_bytes: int | None
    disk_free_bytes: int | None
    free_floor_bytes: int
    days_left: float | None
    damage: str | None
