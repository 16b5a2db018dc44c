"""One question to a provider: bounded in time and size, redirects are not followed, no secret of it in what is said."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2
import msgspec

from chimney.table.probe import classify
from chimney.table.providers.person import UnreachableError

DEADLINE_SECONDS = 10.0
LARGEST = 512 * 1024


async def ask(
    client: httpx2.AsyncClient,
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
    bearer: str | None = None,
) -> tuple[int, dict[str, Any]]:
    """Status and JSON object. Raises UnreachableError, also for 5xx and for anything that is no JSON object."""
    headers = {"accept": "application/json"} | ({"authorization": f"Bearer {bearer}"} if bearer else {})
    method, place = ("GET" if form is None else "POST"), httpx2.URL(url).host
    try:
        async with (
            asyncio.timeout(DEADLINE_SECONDS),
            client.stream(method, url, data=form, headers=headers, auth=auth) as response,
        ):
            body = await _read(response, place)
    except TimeoutError:
        raise UnreachableError(f"{place} gave no answer within {DEADLINE_SECONDS:.0f} s") from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        fault = classify(error) if isinstance(error, httpx2.HTTPError) else None
        raise UnreachableError(f"{place}: {fault.fault if fault else 'no address'}") from None
    if response.status_code >= 500:
        raise UnreachableError(f"{place} answered {response.status_code}")
    try:
        return response.status_code, msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        raise UnreachableError(f"{place} answered {response.status_code} with what is no JSON object") from None


async def _read(response: httpx2.Response, place: str) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LARGEST:
            raise UnreachableError(f"{place} answered more than {LARGEST:,} bytes")
    return bytes(body)
