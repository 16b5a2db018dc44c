"""Being somebody who may not: root may do everything, so for a moment this process is nobody."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

NOBODY = 65534


@contextmanager
def somebody_else() -> Iterator[None]:
    user, group = os.geteuid(), os.getegid()
    if user:
        yield  # mode 0 keeps out its owner too
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
        os.setegid(group)
