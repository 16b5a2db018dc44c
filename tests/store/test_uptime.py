from pathlib import Path

from chimney.store.database import Database
from chimney.store.uptime import ProbedMinute, Uptime


async def test_minutes_are_kept_by_origin_replaced_and_dropped_when_old(tmp_path: Path) -> None:
    database = Database(tmp_path / "table.sqlite", "table")
    await database.open()
    uptime = Uptime(database)
    await uptime.keep("hel1", [ProbedMinute(10, 1, 1), ProbedMinute(11, 1, 2)], drop_before=0)
    await uptime.keep("nbg1", [ProbedMinute(11, 0, 1)], drop_before=0)
    await uptime.keep("hel1", [ProbedMinute(11, 2, 3)], drop_before=11)
    assert await uptime.since("hel1", 0) == [ProbedMinute(11, 2, 3)]
    assert await uptime.since("hel1", 12) == []
    assert await uptime.since("nbg1", 0) == [ProbedMinute(11, 0, 1)]
    await database.close()
