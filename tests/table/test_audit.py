"""The audit as a list, as a file, and whether it is whole."""

import sqlite3

import httpx2
import msgspec
from tests.table.running import Running

from chimney.store.audit import AuditLog
from chimney.wire.audit import AuditRecord


async def linked(operator: httpx2.AsyncClient, *names: str) -> None:
    for name in names:
        assert (await operator.post("/api/links", json={"name": name})).status_code == 201


async def test_a_chain_that_is_whole_says_so(operator: httpx2.AsyncClient) -> None:
    await linked(operator, "one", "two")
    chain = (await operator.get("/api/audit/chain")).json()
    assert (chain["records"], chain["whole"], chain["broken_at"]) == (4, True, None)


async def test_a_record_that_was_changed_is_named(running: Running, operator: httpx2.AsyncClient) -> None:
    await linked(operator, "one", "two")

    def forge(db: sqlite3.Connection) -> None:
        (row,) = db.execute("SELECT record FROM audit WHERE seq = 2").fetchone()
        forged = msgspec.structs.replace(msgspec.json.decode(row, type=AuditRecord), who="somebody else")
        db.execute("UPDATE audit SET record = ? WHERE seq = 2", (msgspec.json.encode(forged),))

    await running.table.database.run(forge)
    chain = (await operator.get("/api/audit/chain")).json()
    assert (chain["whole"], chain["broken_at"]) == (False, 2)


async def test_the_file_has_every_record_and_its_chain_can_be_followed(
    running: Running, operator: httpx2.AsyncClient
) -> None:
    await linked(operator, "one", "two", "three")
    answer = await operator.get("/api/audit/download")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert "attachment" in answer.headers["content-disposition"]
    records = [msgspec.json.decode(line, type=AuditRecord) for line in answer.content.splitlines()]
    kept, _ = await AuditLog(running.table.database).page(limit=100, before=None)
    assert records == kept
    assert [one.id for one in records] == [6, 5, 4, 3, 2, 1]


async def test_the_file_of_an_empty_audit_is_empty(operator: httpx2.AsyncClient) -> None:
    assert (await operator.get("/api/audit/download")).content == b""
