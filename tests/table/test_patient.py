"""Loops that write on a full disk."""

import pytest

from chimney.store.errors import StorageFailedError, StorageFullError
from chimney.table.patient import AGAIN_SECONDS, patient


async def test_a_round_without_room_is_tried_again_and_any_other_fault_is_one() -> None:
    faults: list[Exception | None] = [StorageFullError("no room"), None, StorageFailedError("the disk")]

    async def verb() -> float:
        fault = faults.pop(0)
        if fault:
            raise fault
        return 2.0

    round_of = patient(verb)
    assert (await round_of(), await round_of()) == (AGAIN_SECONDS, 2.0)
    with pytest.raises(StorageFailedError):
        await round_of()
