"""A Trail on a RESP server: one stream of it, whose entries are batches.

The id of an entry is that of its last line, so that a reader asks for what comes after the last id that it has. Ids are
given by one script, so that nobody comes in between. Trimmed by ids (MINID), not by the number of entries: a batch may
hold one line or a thousand.
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
return string.format('%.0f', first)
"""


class SharedTrail:
    """A Trail. `keep` is how many lines are worth keeping."""

    def __init__(self, server: RedisServer, *, name: str, keep: int) -> None:
        self._server = server
        self._waiting = Waiting(server)
        self._key = f"chimney:1:trail:{name}"
        self._keep = keep

    @property
    def connecting(self) -> bool:
        return self._server.health().status == "connecting"

    async def append(self, lines: Sequence[bytes], *, least: int, mark: str) -> bool:
        body = b"\n".join(lines)
        if len(body) > LARGEST_BYTES and len(lines) > 1:
            half = len(lines) // 2
            return await self.append(lines[:half], least=least, mark=mark) and await self.append(
                lines[half:], least=0, mark=mark
            )
        arguments = (str(least), str(len(lines)), str(self._keep), mark, body, str(KEPT_SECONDS), str(by_clock()))
        try:
            await self._server.run("EVAL", _APPEND, "1", self._key, *arguments)
        except (AwayError, RefusedError):
            return False
        return True

    async def read(self, after: int) -> list[Batch] | None:
        try:
            answer = await self._server.run("XREAD", "COUNT", str(MOST_BATCHES), "STREAMS", self._key, _behind(after))
        except (AwayError, RefusedError):
            return None
        return _batches(answer)

    async def wait(self, after: int) -> list[Batch] | None:
        command = ("XREAD", "COUNT", str(MOST_BATCHES), "BLOCK", str(BLOCK_MS), "STREAMS", self._key, _behind(after))
        try:
            answer = await self._waiting.run(*command, within=BLOCK_MS / 1000 + 1)
        except (AwayError, RefusedError):
            return None
        return _batches(answer)

    async def close(self) -> None:
        await self._waiting.close()


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
