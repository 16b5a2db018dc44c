"""The providers that the settings name."""

from collections.abc import Callable

import httpx2

from chimney.config import TableSettings
from chimney.table.providers.github import GitHub
from chimney.table.providers.oidc import Oidc
from chimney.table.providers.person import Provider
from chimney.wire.account import Source


def configured(settings: TableSettings, outside: Callable[[], httpx2.AsyncClient]) -> dict[Source, Provider]:
    """None by default: then no client is made either."""
    wanted: list[tuple[Source, type[Oidc] | type[GitHub]]] = []
    if settings.oidc_issuer:
        wanted.append((Source.OIDC, Oidc))
    if settings.github_client_id:
        wanted.append((Source.GITHUB, GitHub))
    client = outside() if wanted else None
    return {source: provider(settings, client) for source, provider in wanted if client}
