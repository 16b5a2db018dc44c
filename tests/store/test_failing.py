"""A transaction that failed and is in the file all the same: its sync failed after all of it was written.

The kernel does so to a whole table in `bench/disk`; here the file alone is told to.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.store.test_sealed import ALL, held, incoming, opened, seal

from chimney.store.errors import StorageFailedError
from chimney.store.local import LocalStore
from chimney.store.telemetry import Batch, Incoming


@contextmanager
def failing(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Transactions are written, and said to have failed."""
    journal = store._vault._journal
    written: Callable[..., None] = journal.transaction

    def transaction(act: Callable[..., None]) -> None:
        written(act)
        journal.close()
        raise StorageFailedError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(journal, "transaction", transaction)
        yield


def keyed(first: int) -> Batch:
    return Batch(
        "shop", [Incoming(b'{"message":"m %d"}' % number) for number in range(first, first + 10)], key=b"%d" % first
    )


@pytest.mark.parametrize("make", [keyed, lambda first: incoming(first, 10)])
async def test_what_failed_and_is_in_the_file_is_there_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[int], Batch]
) -> None:
    store = await opened(tmp_path)
    await store.append([make(1)])
    with failing(store, monkeypatch), pytest.raises(StorageFailedError):
        await store.append([make(11)])
    assert await store.append([make(11)]) == []
    assert len(await store.append([make(21)])) == 10
    whole = (await store.read(ALL, limit=100)).rows
    assert len({row.id for row in whole}) == len({row.message for row in whole}) == len(whole) == 30
    await store.close()
    again = await opened(tmp_path)
    assert (await again.read(ALL, limit=100)).rows == whole
    await again.close()


async def test_a_sealing_that_failed_and_is_in_the_file_is_not_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await opened(tmp_path)
    await store.append([incoming(1, 100)])
    with failing(store, monkeypatch), pytest.raises(StorageFailedError):
        await store.seal()
    await seal(store)
    assert await held(store) == list(range(1, 101))
    await store.append([incoming(101, 100)])
    await seal(store)
    assert len(store._vault.kept.segments()) == 2
    assert await held(store) == list(range(1, 201))
    await store.close()
