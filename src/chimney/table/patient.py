"""Loops that write something down now and then, on a disk that is full."""

from chimney.store.errors import StorageFullError
from chimney.web.loops import Verb

AGAIN_SECONDS = 5.0


def patient(verb: Verb) -> Verb:
    """The verb; its round is simply tried again while there is no room: that is `storage_full`, no fault of a loop."""

    async def round_of() -> float:
        try:
            return await verb()
        except StorageFullError:
            return AGAIN_SECONDS

    return round_of
