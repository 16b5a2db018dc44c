"""Who may use the table, and what they have origins do.

/api/session                    signing  signing in and out
/api/session/{provider}         providers  signing in by OIDC and with GitHub
/api/users                      users    who there is, and what they may
/api/tokens                     issuing  API tokens
/api/acts/{act} /api/audit      acts     what operators have origins do, and its audit
/api/origins/{origin}/{path}    through  an origin's own answers
/api/cache                      caches   each origin's cache

Loop: sessions.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import httpx2

from chimney.config import TableSettings
from chimney.store.accounts import Accounts
from chimney.store.api_tokens import ApiTokens
from chimney.store.audit import AuditLog
from chimney.store.database import Database
from chimney.store.errors import StoreError
from chimney.store.folder import DataFolder
from chimney.table.audit import Audit
from chimney.table.entrance import Entrance
from chimney.table.passwords import Passwords
from chimney.table.patient import patient
from chimney.table.providers.configured import configured
from chimney.table.reach import Reach
from chimney.table.sessions import Sessions
from chimney.table.tokens import Tokens
from chimney.web.loops import Supervisor
from chimney.wire.account import Source

log = logging.getLogger(__name__)


class Operating:
    """`sign_in` is the password made up for the first operator, None when one was configured or made up before."""

    def __init__(
        self,
        settings: TableSettings,
        *,
        database: Database,
        client: httpx2.AsyncClient,
        outside: Callable[[], httpx2.AsyncClient],
    ) -> None:
        self._settings = settings
        self._accounts = Accounts(database)
        self._passwords = Passwords()
        self.sessions = Sessions(self._accounts, Tokens(ApiTokens(database)))
        self.entrance = Entrance(self._accounts, self.sessions, self._passwords)
        self.elsewhere = configured(settings, outside)
        self.reach = Reach(settings.origins, client)
        self.audit = Audit(AuditLog(database))
        self.sign_in: str | None = None

    async def load(self) -> None:
        password = self._settings.password
        self.sign_in = await self.entrance.load(password=password.get_secret_value() if password else None)
        await self.sessions.load()

    async def tell_token(self, folder: DataFolder) -> None:
        """On a full disk the token of the last start stays: what is stored is to be seen all the same."""
        try:
            token = await self.sessions.new_token("cli", "operator")
            await asyncio.to_thread(folder.write_secret, "cli.token", token + "\n")
        except StoreError as error:
            log.warning("there is no new token for commands: %s", error)

    def add_loops(self, loops: Supervisor) -> None:
        loops.add("sessions", patient(self.sessions.sweep))

    def routes(self) -> list[Any]:
        from chimney.table import acts, audit, caches, issuing, signing, through, users  # noqa: PLC0415
        from chimney.table.providers import routes as providers  # noqa: PLC0415

        people = users.Users(self._accounts, self.sessions, passwords=self._passwords, audit=self.audit)
        return [
            *signing.routes(self.entrance, self.sessions, [Source.PASSWORD, *self.elsewhere]),
            *providers.routes(
                providers.Elsewhere(
                    self.elsewhere, users=people, sessions=self.sessions, public_url=self._settings.public_url
                )
            ),
            *signing.password_routes(self.entrance, self.sessions, users=people, audit=self.audit),
            *users.routes(people),
            *issuing.routes(self.sessions, self.audit),
            *acts.routes(acts.Acts(self.reach, self.audit)),
            *audit.routes(self.audit),
            *caches.routes(self.reach),
            *through.routes(self.reach),
        ]

    def close(self) -> None:
        self._passwords.close()
