"""What was missed while nobody listened: GitHub is asked to send it again, and the operator hears how much it was."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.pair import Pair, pair_of
from tests.fakes.waiting import eventually

from chimney.origin.app import Origin
from chimney.standin.webhooks import Delivery


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with pair_of(tmp_path) as pair:
        yield pair


def events(origin: Origin | None, kind: str) -> list[dict[str, Any]]:
    assert origin
    return [one.data for one in origin.events.recent(500) if one.kind == kind]


async def settled(pair: Pair) -> None:
    def sent() -> bool:
        return all(one.status != "pending" for one in pair.standin.hook.deliveries)

    await eventually(sent)


async def down(pair: Pair, *acts: str) -> list[Delivery]:
    """The origin is away while these happen; what GitHub could not deliver."""
    await settled(pair)
    await pair.stop()
    before = len(pair.standin.hook.deliveries)
    for act in acts:
        await pair.do(act)
    await settled(pair)
    return list(pair.standin.hook.deliveries)[before:]


async def back(pair: Pair, *, pause: float = 0.0) -> Origin:
    """Started again, with a catch-up that does not wait a second between two requests."""
    origin = await pair.start()
    origin.github.hearing.catch_up._pause = pause
    return origin


async def test_deliveries_of_an_outage_are_asked_for_again_and_counted(pair: Pair) -> None:
    missed = await down(pair, "open_bug", "push")
    assert {one.status_code for one in missed} == {0}
    origin = await back(pair)
    await eventually(lambda: events(origin, "webhooks_caught_up"), within=20)
    assert events(origin, "webhooks_caught_up") == [{"caught_up": len(missed), "missing": 0}]
    kept = await pair.see("/api/webhooks/deliveries?limit=500")
    assert {one.guid for one in missed} <= {one["id"] for one in kept["items"]}
    again = [one for one in pair.standin.hook.deliveries if one.redelivery]
    assert [one.guid for one in again] == [one.guid for one in missed]


async def test_a_start_with_nothing_missed_says_nothing(pair: Pair) -> None:
    await down(pair)
    origin = await back(pair)
    catch_up = next(loop for loop in origin.loops.loops if loop.name == "catch_up")
    await eventually(lambda: catch_up.last_success)
    await pair.do("open_bug")
    await eventually(lambda: events(origin, "webhook"))
    assert events(origin, "webhooks_caught_up") == []
    assert not any(one.redelivery for one in pair.standin.hook.deliveries)


async def test_the_first_start_asks_github_nothing_of_webhooks(tmp_path: Path) -> None:
    async with pair_of(tmp_path) as pair:
        origin = pair.origin
        assert origin
        catch_up = next(loop for loop in origin.loops.loops if loop.name == "catch_up")
        await eventually(lambda: catch_up.last_success)
        stats = (await pair.github.get("/_standin/stats")).json()
        assert not [path for path in stats["by_path"] if "/hooks" in path]


async def test_a_token_that_may_not_ask_has_everything_looked_at_anew(pair: Pair) -> None:
    await down(pair, "open_bug")
    pair.standin.hook.url = None  # then nobody may see the hook
    origin = await back(pair)
    catch_up = next(loop for loop in origin.loops.loops if loop.name == "catch_up")
    await eventually(lambda: catch_up.last_success)
    assert events(origin, "webhooks_caught_up") == []
    assert origin.github.hearing.catch_up._since is None


async def test_a_github_that_gives_no_answer_is_asked_later(pair: Pair) -> None:
    await down(pair, "open_bug")
    await pair.github.post("/_standin/faults", json={"status": 500, "for_seconds": 3600})
    origin = await back(pair)
    catch_up = next(loop for loop in origin.loops.loops if loop.name == "catch_up")
    await eventually(lambda: catch_up.last_success)
    assert origin.github.hearing.catch_up._since is not None
    await pair.github.delete("/_standin/faults")
    catch_up.nudge()
    await eventually(lambda: events(origin, "webhooks_caught_up"), within=20)


async def test_what_does_not_come_after_all_is_said_and_everything_doubted(pair: Pair) -> None:
    missed = await down(pair, "open_bug")
    origin = await pair.start()
    catch_up = origin.github.hearing.catch_up
    catch_up._pause, catch_up._patience = 0.0, 0.05
    pair.standin.hook._queue.clear()
    origin.github.hearing.webhooks._secret = "another"
    await pair.see("pulls")
    await eventually(lambda: events(origin, "webhooks_caught_up"), within=20)
    assert events(origin, "webhooks_caught_up") == [{"caught_up": 0, "missing": len(missed)}]


async def test_a_delivery_that_could_not_be_kept_is_looked_for_again(pair: Pair) -> None:
    origin = pair.origin
    assert origin
    catch_up = origin.github.hearing.catch_up
    catch_up._pause, catch_up._settle = 0.0, 0.2
    origin.github.hearing.webhooks._held = 2**40  # no room: 503
    await pair.do("open_issue")
    await settled(pair)
    origin.github.hearing.webhooks._held = 0
    await eventually(lambda: events(origin, "webhooks_caught_up"), within=20)
