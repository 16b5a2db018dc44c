"""A Trail on a RESP server: one stream of it, whose entries are batches.

The id of an entry is that of its last line, so that a reader asks for what comes after the last id that it has. Ids are
given by one script, so that nobody comes in between. Trimmed by ids (MINID), not by the number of entries: a batch may
hold one line or a thousand.

Who waits is told by a bell, another stream that holds the newest id and no lines: those who appended know them, and
would get them all back. One that is not rung (by an older version, or it was dropped) is late by a second.
"""

from collections.abc import Sequence

from chimney.store.redis import AwayError, RedisServer, RefusedError, Waiting
from chimney.store.ring import by_clock
from chimney.store.trail import Batch

KEPT_SECONDS = 86_400
LARGEST_BYTES = 256 * 1024  # a batch that is larger would not pass within the deadline
BLOCK_MS = 1_000
MOST_BATCHES = 500
_APPEND = """
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local before = newest[1] and tonumber(string.match(newest[1][1], '^%d+')) or 0
local first = math.max(before > 0 and before + 1 or tonumber(ARGV[7]), tonumber(ARGV[1]))
local last = string.format('%.0f', first + tonumber(ARGV[2]) - 1)
local oldest = string.format('%.0f', math.max(0, first - tonumber(ARGV[3])))
redis.call('XADD', KEYS[1], 'MINID', '~', oldest, last .. '-0',
  'first', string.format('%.0f', first), 'before', string.format('%.0f', before), 'mark', ARGV[4], 'lines', ARGV[5])
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.pcall('XADD', KEYS[2], 'MAXLEN', '1', last .. '-0', 'mark', ARGV[4])
redis.pcall('EXPIRE', KEYS[2], ARGV[6])
return {string.format('%.0f', first), string.format('%.0f', before)}
"""


class SharedTrail:
    """A Trail. `keep` is how many lines are worth keeping."""

    def __init__(self, server: RedisServer, *, name: str, keep: int) -> None:
        self._server = server
        self._waiting = Waiting(server)
        self._key = f"chimney:1:trail:{name}"
        self._bell = f"{self._key}:bell"
        self._keep = keep

    @property
    def connecting(self) -> bool:
        return self._server.health().status == "connecting"

    async def append(self, lines: Sequence[bytes], *, least: int, mark: str) -> list[Batch] | None:
        body = b"\n".join(lines)
        if len(body) > LARGEST_BYTES and len(lines) > 1:
            half = len(lines) // 2
            first = await self.append(lines[:half], least=least, mark=mark)
            rest = await self.append(lines[half:], least=0, mark=mark) if first else None
            return _joined(first, rest) if first and rest else None
        arguments = (str(least), str(len(lines)), str(self._keep), mark, body, str(KEPT_SECONDS), str(by_clock()))
        try:
            given, before = await self._server.run("EVAL", _APPEND, "2", self._key, self._bell, *arguments)
        except (AwayError, RefusedError):
            return None
        return [Batch(int(given), int(before), mark, list(lines))]

    async def read(self, after: int) -> list[Batch] | None:
        try:
            answer = await self._server.run("XREAD", "COUNT", str(MOST_BATCHES), "STREAMS", self._key, _behind(after))
        except (AwayError, RefusedError):
            return None
        return _batches(answer)

    async def wait(self, after: int) -> int | None:
        command = ("XREAD", "BLOCK", str(BLOCK_MS), "STREAMS", self._bell, _behind(after))
        try:
            answer = await self._waiting.run(*command, within=BLOCK_MS / 1000 + 1)
        except (AwayError, RefusedError):
            return None
        return max((rung.first for rung in _batches(answer)), default=0)

    async def close(self) -> None:
        await self._waiting.close()


def _joined(some: list[Batch], more: list[Batch]) -> list[Batch]:
    """One after the other; the two in the middle as one, when nothing lies between them."""
    left, right = some[-1], more[0]
    if right.before != left.last:
        return some + more
    return [*some[:-1], left._replace(lines=left.lines + right.lines), *more[1:]]


def _behind(number: int) -> str:
    return f"{number}-{2**64 - 1}"


def _batches(answer: object) -> list[Batch]:
    if not isinstance(answer, list) or not answer:
        return []
    return [_batch(name, fields) for name, fields in answer[0][1]]


def _batch(name: bytes, fields: object) -> Batch:
    """What is not ours, or garbled, is a batch of nothing.

    redis-py makes a mapping of the fields where it sent the command itself, and leaves them a list elsewhere.
    """
    last = int(name.partition(b"-")[0])
    if isinstance(fields, list):
        fields = dict(zip(fields[::2], fields[1::2], strict=False))
    try:
        said: dict[bytes, bytes] = fields if isinstance(fields, dict) else {}
        lines = said[b"lines"].split(b"\n")
        first, before = int(said[b"first"]), int(said[b"before"])
        mark = said[b"mark"].decode("latin-1")
    except (KeyError, ValueError):
        return Batch(last, last - 1, "", [])
    return Batch(first, before, mark, lines) if first + len(lines) - 1 == last else Batch(last, last - 1, "", [])
