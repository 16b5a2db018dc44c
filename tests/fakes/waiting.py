"""Waiting for what will be, without sleeping for what might be."""

import asyncio
from collections.abc import Awaitable, Callable


async def eventually(ask: Callable[[], object | Awaitable[object]], *, within: float = 15.0) -> None:
    """Returns once `ask` answers something true. Raises TimeoutError."""
    answer: object = None
    try:
        async with asyncio.timeout(within):
            while not answer:
                asked = ask()
                answer = await asked if isinstance(asked, Awaitable) else asked
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise TimeoutError(f"did not come true within {within} s; last: {answer!r}") from None
