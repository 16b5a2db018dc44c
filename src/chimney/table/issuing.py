"""API tokens over HTTP: /api/tokens. Each that is made or removed is audited."""

from typing import Any

from litestar import delete, get, post
from litestar.params import FromPath, JSONBody

from chimney.table.access import ADMIN, AnyRequest, asker_of
from chimney.table.audit import Audit, asked_of_table
from chimney.table.sessions import Sessions
from chimney.wire.account import MadeToken, NewToken, TokenItem
from chimney.wire.base import Page


def routes(sessions: Sessions, audit: Audit) -> list[Any]:
    tokens = sessions.tokens

    @get("/api/tokens", opt=ADMIN, summary="API tokens", tags=["tokens"])
    async def listed() -> Page[TokenItem]:
        """Newest first, without what they are."""
        return Page(items=tokens.listed())

    @post("/api/tokens", opt=ADMIN, summary="Make an API token", tags=["tokens"])
    async def make(request: AnyRequest, data: JSONBody[NewToken]) -> MadeToken:
        """It may what its role may. It is told this once; 90 days are usual."""
        tokens.check(data)
        who, record = asker_of(request)
        did = f"make the API token {data.name} as {data.role}"
        async with audit.doing(asked_of_table(who, record, act="token_make", did=did, body=data)):
            token, text = await tokens.make(data.name, data.role, who=who, days=data.expires_in_days)
        return tokens.told(token, text)

    @delete("/api/tokens/{token_id:str}", opt=ADMIN, summary="Revoke an API token", tags=["tokens"])
    async def revoke(request: AnyRequest, token_id: FromPath[str]) -> None:
        """Whoever has it is out at once, open streams included."""
        token = tokens.get(token_id)
        body = {"id": token.id, "name": token.name}
        did = f"revoke the API token {token.name}"
        async with audit.doing(asked_of_table(*asker_of(request), act="token_revoke", did=did, body=body)):
            await sessions.remove_token(token_id)

    return [listed, make, revoke]
