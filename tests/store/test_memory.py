"""Stored responses: one behaviour for every implementation, then what is special to the near tier."""

from collections.abc import Callable

import pytest

from chimney.store.memory import MemoryStore
from chimney.store.ports import ResponseStore, StoredResponse

STORES: dict[str, Callable[[], ResponseStore]] = {"memory": MemoryStore}


def response(body: bytes = b"{}", *, at: float = 0.0) -> StoredResponse:
    return StoredResponse(
        status=200,
        body=body,
        etag='"a"',
        identity="me",
        content_type="application/json",
        links=None,
        vary=[],
        last_modified=None,
        fetched_at=at,
        validated_at=at,
    )


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> ResponseStore:
    return STORES[request.param]()


def test_what_was_put_is_there(store: ResponseStore) -> None:
    store.put("/a", response(b"1"))
    held = store.get("/a")
    assert held is not None
    assert held.body == b"1"
    assert store.get("/b") is None
    assert len(store) == 1


def test_what_is_put_again_replaces_what_was_there(store: ResponseStore) -> None:
    store.put("/a", response(b"1"))
    store.put("/a", response(b"2"))
    held = store.get("/a")
    assert held is not None
    assert (held.body, len(store)) == (b"2", 1)


KEYS = [
    "/repos/o/r",
    "/repos/o/r/pulls",
    "/repos/o/r/pulls?state=open",
    "/repos/o/r/pulls/1",
    "/repos/o/r/pulls-evil",
    "/repos/o/r2",
    "/repos/o/r?page=2",
]


@pytest.mark.parametrize(
    ("prefix", "left"),
    [
        ("/repos/o/r/pulls", ["/repos/o/r", "/repos/o/r/pulls-evil", "/repos/o/r2", "/repos/o/r?page=2"]),
        ("/repos/o/r/pulls/", ["/repos/o/r", "/repos/o/r/pulls-evil", "/repos/o/r2", "/repos/o/r?page=2"]),
        ("/repos/o/r", ["/repos/o/r2"]),
        ("/repos/o/pulls", KEYS),
        ("/repos/o/r/pul", KEYS),
        ("/repos/o/r/pulls?state=open", [key for key in KEYS if key != "/repos/o/r/pulls?state=open"]),
    ],
)
def test_a_prefix_is_removed_by_whole_segments(store: ResponseStore, prefix: str, left: list[str]) -> None:
    for key in KEYS:
        store.put(key, response())
    assert store.remove_prefix(prefix) == len(KEYS) - len(left)
    assert [key for key in KEYS if store.get(key)] == left


def test_clearing_tells_how_many_there_were(store: ResponseStore) -> None:
    store.put("/a", response())
    store.put("/b", response())
    assert (store.clear(), len(store), store.get("/a"), store.clear()) == (2, 0, None, 0)


def test_the_least_recently_used_goes_first() -> None:
    store = MemoryStore(capacity_bytes=3 * response(b"x" * 400).size)
    for key in ("/a", "/b", "/c"):
        store.put(key, response(b"x" * 400))
    store.get("/a")
    store.put("/d", response(b"x" * 400))
    assert [key for key in ("/a", "/b", "/c", "/d") if store.get(key)] == ["/a", "/c", "/d"]
    assert store.evicted == 1


def test_the_bytes_held_never_exceed_the_capacity_and_come_back_to_nothing() -> None:
    store = MemoryStore(capacity_bytes=10_000)
    for number in range(500):
        store.put(f"/{number % 37}", response(b"x" * (number % 900)))
        assert store.bytes <= 10_000
    store.remove_prefix("/1")
    store.clear()
    assert store.bytes == 0


def test_a_response_larger_than_the_store_is_not_kept_and_pushes_nothing_out() -> None:
    store = MemoryStore(capacity_bytes=10_000)
    store.put("/a", response())
    store.put("/b", response(b"x" * 20_000))
    assert (store.get("/b"), len(store)) == (None, 1)
    store.put("/a", response(b"x" * 20_000))
    assert store.get("/a") is None


def test_ages_are_counted_from_the_last_validation() -> None:
    store = MemoryStore()
    assert store.ages(100.0) == []
    store.put("/a", response(at=90.0))
    store.put("/b", response(at=50.0))
    assert store.ages(100.0) == [10.0, 50.0]
