"""Rows as they are kept until they are sealed: lines of JSON, many in one compressed frame with a checksum.

Frames laid one after the other are a Zstandard file of newline-delimited JSON, which DuckDB reads as it is.
"""

from collections.abc import Sequence
from enum import StrEnum

import zstandard

from chimney.store.errors import StoreError

LEVEL = 3  # ~400 MB/s
_compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True, write_content_size=True)
LARGEST = 256 * 1024**2  # a damaged header must not make us reserve more


class Signal(StrEnum):
    """What kinds of rows there are; each has ids of its own."""

    LOG = "log"
    SPAN = "span"
    SAMPLE = "sample"


class DamagedFrameError(StoreError):
    """The frame is not what was written."""


def pack(lines: Sequence[bytes]) -> bytes:
    return _compressor.compress(b"\n".join(lines) + b"\n")


def unpack(frame: bytes) -> bytes:
    """The lines, each with its line feed. Raises DamagedFrameError."""
    try:
        if zstandard.frame_content_size(frame) > LARGEST:
            raise DamagedFrameError("the frame says that it is larger than any that is written")
        return zstandard.ZstdDecompressor().decompress(frame)
    except zstandard.ZstdError as error:
        raise DamagedFrameError(str(error)) from None
