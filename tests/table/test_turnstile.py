"""Questions that are due together pass one after the other."""

import asyncio
import time

from chimney.table.turnstile import Turnstile


async def test_nobody_waits_when_nobody_passed_lately() -> None:
    turnstile = Turnstile(apart=60)
    async with asyncio.timeout(5):
        await turnstile.turn()


async def test_what_is_due_together_passes_in_its_order_and_apart() -> None:
    turnstile, passed = Turnstile(apart=0.005), list[tuple[int, float]]()

    async def due(number: int) -> None:
        await turnstile.turn()
        passed.append((number, time.perf_counter()))

    await asyncio.gather(*(due(number) for number in range(5)))
    assert [number for number, _ in passed] == [0, 1, 2, 3, 4]
    assert passed[-1][1] - passed[0][1] >= 0.018


async def test_a_loop_that_was_behind_is_asked_for_one_not_for_all_that_are_due() -> None:
    turnstile, passed = Turnstile(apart=0.001), list[int]()

    async def due(number: int) -> None:
        await turnstile.turn()
        passed.append(number)

    waiting = [asyncio.create_task(due(number)) for number in range(10)]
    await asyncio.sleep(0)
    held = time.perf_counter() + 0.05  # for as long as all of them would take
    while time.perf_counter() < held:
        pass
    await waiting[1]
    assert len(passed) == 2
    await asyncio.gather(*waiting)


async def test_one_that_gave_up_takes_no_turn() -> None:
    turnstile = Turnstile(apart=0.005)
    await turnstile.turn()
    gone, next_one = asyncio.create_task(turnstile.turn()), asyncio.create_task(turnstile.turn())
    await asyncio.sleep(0)
    gone.cancel()
    async with asyncio.timeout(5):
        await next_one
    assert gone.cancelled()
