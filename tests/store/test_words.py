"""A filter of words never denies a text that is there, and denies most that are not."""

from pathlib import Path

import pytest

from chimney.store import words
from chimney.store.engine import Engine
from chimney.store.frames import Signal
from chimney.store.segments import _filter
from chimney.store.words import Place

MESSAGES = ["GET /api/orders took 77 ms", 'he said "Überfluss" twice', "a\tb\\c", "Kelvin \u212a and İstanbul"]
FIELDS = '{"region":"eu-1","ms":95.3}'
ROWS = ", ".join(
    f"({number}, '{message}', 'shop.http', '{FIELDS}', '0af7651916cd43dd', 'req_Zulu-{number}')"
    for number, message in enumerate(MESSAGES)
)


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("words") / "a.filter"
    with Engine().apart() as db:
        db.execute("CREATE TABLE rows (id INT, message TEXT, logger TEXT, fields TEXT, trace_id TEXT, request_id TEXT)")
        db.execute(f"INSERT INTO rows VALUES {ROWS}")
        file.write_bytes(_filter(db, Signal.LOG, "rows") or b"")
    return file


@pytest.mark.parametrize(
    "text",
    [
        *MESSAGES,
        *("GET /API/ORD", "rders too", "took 7", "77", "a\tb", "b\\c", "überfluss", 'fluss" tw', "kelvin k"),
        *("p.htt", "EU-1", "95.3", "region", "req_zulu", "zulu-2", "651916cd", "0af7651916cd43dd", "ms", ""),
    ],
)
def test_a_text_that_is_there_is_never_denied(beside: Path, text: str) -> None:
    assert words.place(beside, text) is not Place.NOWHERE


@pytest.mark.parametrize("text", ["651916cd", "0af7651916cd43dd", "req_Zulu-1"])
def test_a_text_of_no_word_may_be_in_ids_only(beside: Path, text: str) -> None:
    assert words.place(beside, text) is Place.IDS


@pytest.mark.parametrize(
    "text", ["no such text anywhere", "orderx", "took 977 ms", "payment", "req_xylo", "/api/carts"]
)
def test_a_text_of_other_words_is_denied(beside: Path, text: str) -> None:
    assert words.place(beside, text) is Place.NOWHERE


def test_without_a_filter_nothing_is_denied(tmp_path: Path) -> None:
    assert words.place(tmp_path / "gone.filter", "payment") is Place.ANYWHERE
