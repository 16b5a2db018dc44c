"""`chimney table --doctor`: everything that is kept is read once, what is damaged is set aside and told."""

import shutil
from collections.abc import Callable

from chimney.config import TableSettings
from chimney.instrumentation import LogPipe
from chimney.store.audit import AuditLog
from chimney.store.folder import DataFolder
from chimney.table.app import Table


async def examine(settings: TableSettings, say: Callable[[str], None]) -> bool:
    """Whether all is sound. Raises FolderError: the folder is in use, or cannot be used."""
    folder = DataFolder(settings.data_dir)
    table = Table(settings, pipe=LogPipe())
    storage, database = table.storage, table.database
    try:
        await storage.open()
        await database.open()
        await storage.store.verify()
        size = await storage.store.size()
        broken = await AuditLog(database).broken()
    finally:
        await storage.close()
        await database.close()
        await table.stop()
        folder.close()
    say(f"telemetry: {size.rows:,} log records, {size.bytes / 1e6:,.1f} MB with spans and samples")
    found = [one for one in (storage.damage, database.damage) if one]
    if broken is not None:
        found.append(f"the audit log was changed: row {broken} does not follow from the one before it")
    for one in found:
        say(f"damaged: {one}")
    usage = shutil.disk_usage(settings.data_dir)
    say(f"disk: {usage.free / 1e9:,.1f} of {usage.total / 1e9:,.1f} GB free")
    say("found and set aside what is named above" if found else "all is sound")
    return not found
