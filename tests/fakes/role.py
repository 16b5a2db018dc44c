"""A role in this process, without a port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chimney.web.serve import Role


@asynccontextmanager
async def started(role: Role) -> AsyncIterator[None]:
    """Ended whatever happens: what a role left behind would be found by the tests after."""
    try:
        await role.start()
        yield
    finally:
        await role.drain()
        await role.stop()
