"""The WPT `eventsource/format-*` cases, as bytes."""

import pytest

from chimney.core.eventsource import EventParser, EventTooLongError, ServerEvent


def parse(*chunks: bytes) -> list[tuple[str, str, str]]:
    parser = EventParser()
    return [(one.event, one.data, one.id) for chunk in chunks for one in parser.feed(chunk)]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: x\n\n", [("message", "x", "")]),
        (b"data:x\n\n", [("message", "x", "")]),
        (b"data:  x\n\n", [("message", " x", "")]),
        (b"data\n\n", [("message", "", "")]),
        (b"data: a\ndata: b\ndata\n\n", [("message", "a\nb\n", "")]),
        (b"data: x\r\n\r\n", [("message", "x", "")]),
        (b"data: x\r\r", [("message", "x", "")]),
        (b"data: a\rdata: b\r\ndata: c\n\n", [("message", "a\nb\nc", "")]),
        (b"\xef\xbb\xbfdata: x\n\n", [("message", "x", "")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: x\n\ndata: y\n\n", [("message", "y", "")]),
        (b": comment\ndata: x\n:data: y\n\n", [("message", "x", "")]),
        (b"event: log\ndata: x\n\ndata: y\n\n", [("log", "x", ""), ("message", "y", "")]),
        (b"event:\ndata: x\n\n", [("message", "x", "")]),
        (b"event: log\n\ndata: x\n\n", [("message", "x", "")]),
        (b"id: 7\ndata: x\n\ndata: y\n\n", [("message", "x", "7"), ("message", "y", "7")]),
        (b"id: 7\ndata: x\n\nid\ndata: y\n\n", [("message", "x", "7"), ("message", "y", "")]),
        (b"id: 7\x008\ndata: x\n\n", [("message", "x", "")]),
        (b"Data: x\nDATA: y\n data: z\n\n", []),
        (b"data: x", []),
        (b"data: x\n", []),
        (b"\n\n\n", []),
        ("data: ö\n\n".encode(), [("message", "ö", "")]),
        (b"data: \xff\n\n", [("message", "\ufffd", "")]),
        (b"data: a\ndata: id: 999\ndata: event: deploy\n\n", [("message", "a\nid: 999\nevent: deploy", "")]),
    ],
)
def test_a_stream_is_read_as_the_standard_says(stream: bytes, expected: list[tuple[str, str, str]]) -> None:
    assert parse(stream) == expected
    assert parse(*[stream[i : i + 1] for i in range(len(stream))]) == expected


def test_a_block_without_data_moves_the_last_id_all_the_same() -> None:
    parser = EventParser("3")
    assert parser.feed(b"id: 9\n\n") == []
    assert parser.last_event_id == "9"


def test_an_unfinished_block_does_not_move_the_last_id() -> None:
    parser = EventParser("3")
    parser.feed(b"id: 9\ndata: x\n")
    assert parser.last_event_id == "3"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (b"retry: 3000", 3000),
        (b"retry: 3s", None),
        (b"retry: -1", None),
        (b"retry:", None),
        (b"retry: 9999999999", None),
    ],
)
def test_a_reconnection_time_is_digits_only(field: bytes, expected: int | None) -> None:
    parser = EventParser()
    parser.feed(field + b"\n\n")
    assert parser.retry == expected


def test_a_line_break_split_between_chunks_is_one() -> None:
    assert parse(b"data: a\r", b"\ndata: b\r", b"\n\r\n") == [("message", "a\nb", "")]


def test_an_event_without_end_is_given_up() -> None:
    parser = EventParser()
    parser.feed(b"data: " + b"x" * 7_000_000 + b"\n")
    with pytest.raises(EventTooLongError):
        parser.feed(b"data: " + b"x" * 1_000_001)


def test_events_are_values() -> None:
    assert EventParser().feed(b"data: x\n\n") == [ServerEvent("message", "x", "")]
