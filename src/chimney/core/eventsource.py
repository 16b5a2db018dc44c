"""Server-sent events from bytes, after WHATWG HTML §9.2.6. No I/O.

CR, LF and CRLF end lines, also across chunks; one leading BOM is dropped; an id with NUL is ignored; a block without
data dispatches nothing but still moves the last id; an unfinished block is discarded.
"""

import codecs
from collections.abc import Iterator

import msgspec

LONGEST_EVENT = 8_000_000  # characters: a record is at most 1 MB, JSON-escaped at most six times that


class ServerEvent(msgspec.Struct, frozen=True):
    """`id` is the last id seen up to and with this event, empty when there was none or it was reset."""

    event: str
    data: str
    id: str


class EventTooLongError(Exception):
    """The peer sends an event without end; the connection is to be given up."""


class EventParser:
    """One connection's parser. `last_event_id` is what to resume from, `retry` the asked delay in milliseconds."""

    def __init__(self, last_event_id: str = "") -> None:
        self.last_event_id = last_event_id
        self.retry: int | None = None
        self._id = last_event_id
        self._event = ""
        self._data: list[str] = []
        self._size = 0
        self._rest = ""
        self._after_cr = False
        self._at_start = True
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """The events that the chunk completes. Raises EventTooLongError past `LONGEST_EVENT`."""
        text = self._decode(chunk)
        if self._at_start and text:
            text = text.removeprefix("\ufeff")
            self._at_start = False
        events = [event for line in self._lines(text) if (event := self._line(line))]
        if self._size + len(self._rest) > LONGEST_EVENT:
            raise EventTooLongError(f"an event is longer than {LONGEST_EVENT} characters")
        return events

    def _lines(self, text: str) -> Iterator[str]:
        if self._after_cr and text:
            text = text.removeprefix("\n")
            self._after_cr = False
        self._after_cr = self._after_cr or text.endswith("\r")
        text = self._rest + text
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        *lines, self._rest = text.split("\n")
        return iter(lines)

    def _line(self, line: str) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
            self._size += len(value)
        elif field == "event":
            self._event = value
        elif field == "id" and "\0" not in value:
            self._id = value
        elif field == "retry" and value.isascii() and value.isdigit() and len(value) < 10:
            self.retry = int(value)
        return None

    def _dispatch(self) -> ServerEvent | None:
        self.last_event_id = self._id
        event = ServerEvent(self._event or "message", "\n".join(self._data), self._id) if self._data else None
        self._event, self._data, self._size = "", [], 0
        return event
