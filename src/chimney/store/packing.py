"""Stored responses as bytes in the far tier. What comes back from there is hostile until it is found sound.

A dashboard's JSON shrinks to a tenth at zlib's lowest level for 10 µs a kilobyte; a large body is packed in a thread.
"""

import asyncio
import re
import zlib

import msgspec

from chimney.store.ports import StoredResponse

VERSION = 1  # of what is packed here; also part of every key, so versions never meet
LONGEST_BODY = 10 * 1024 * 1024
ZIP_BYTES = 1024
THREAD_BYTES = 64 * 1024
_HEADER = re.compile(r"[\t\x20-\x7e\xa0-\xff]{0,8192}")


class Packed(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    version: int
    zipped: bool
    response: StoredResponse


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Packed).decode


async def pack(response: StoredResponse) -> bytes:
    large = len(response.body) > THREAD_BYTES
    return await asyncio.to_thread(_pack, response) if large else _pack(response)


async def unpack(raw: object, *, now: float) -> StoredResponse | None:
    """The response; None when the bytes are not one that we would have stored."""
    if not isinstance(raw, bytes):
        return None
    return await asyncio.to_thread(_unpack, raw, now) if len(raw) > THREAD_BYTES else _unpack(raw, now)


def _pack(response: StoredResponse) -> bytes:
    zipped = len(response.body) > ZIP_BYTES
    body = zlib.compress(response.body, 1) if zipped else response.body
    alone = msgspec.structs.replace(response, body=body, hits=0, prepared=None, rewritten=None)
    return _encode(Packed(VERSION, zipped, alone))


def _unpack(raw: bytes, now: float) -> StoredResponse | None:
    try:
        packed = _decode(raw)
        response = packed.response
        if packed.zipped:
            response.body = _unzipped(response.body)
    except (msgspec.DecodeError, zlib.error, RecursionError):
        return None
    if packed.version != VERSION or not _is_sound(response):
        return None
    response.prepared = response.rewritten = None
    response.hits = 0
    # a clock that is ahead elsewhere must not make a response fresh for longer here
    response.validated_at, response.fetched_at = min(response.validated_at, now), min(response.fetched_at, now)
    if response.patched_since is not None:
        response.patched_since = min(response.patched_since, now)
    return response


def _unzipped(body: bytes) -> bytes:
    stream = zlib.decompressobj()
    plain = stream.decompress(body, LONGEST_BODY)
    if not stream.eof or stream.unconsumed_tail:
        raise zlib.error("longer than any body may be, or cut off")
    return plain


def _is_sound(response: StoredResponse) -> bool:
    """Whether it may go out to a visitor: a status that is stored at all, times that are some, headers of one line."""
    headers = (response.content_type, response.etag, response.links, response.last_modified)
    return (
        response.status in (200, 404, 410)
        and 0 <= response.fetched_at < float("inf")
        and 0 <= response.validated_at < float("inf")
        and all(text is None or _HEADER.fullmatch(text) for text in headers)
    )
