"""What a table keeps, looked after from a shell: examined, backed up, put back."""

import asyncio
from pathlib import Path
from typing import NoReturn

import typer

from chimney.cli.roles import settings_of
from chimney.cli.say import fail, say
from chimney.config import TableSettings
from chimney.store.backup import back_up, restore
from chimney.store.errors import StoreError
from chimney.store.folder import DataFolder


def doctor(config: Path | None, data_dir: Path | None) -> NoReturn:
    """Ends with 0 when all is sound, 1 when something was set aside."""
    from chimney.table.doctor import examine  # noqa: PLC0415

    settings = settings_of(TableSettings, config, data_dir=data_dir)
    try:
        sound = asyncio.run(examine(settings, say))
    except StoreError as error:
        fail(str(error))
    raise typer.Exit(0 if sound else 1)


def backup(config: Path | None, data_dir: Path | None, to: Path) -> None:
    """Also while the table runs."""
    settings = settings_of(TableSettings, config, data_dir=data_dir)
    try:
        copied = back_up(settings.data_dir, to)
    except StoreError as error:
        fail(str(error))
    say(f"backed up {settings.data_dir} to {to}: {copied.bytes / 1e6:,.1f} MB, {copied.segments:,} segments")


def put_back(config: Path | None, data_dir: Path | None, backup_folder: Path) -> None:
    """Not while the table runs."""
    settings = settings_of(TableSettings, config, data_dir=data_dir)
    try:
        folder = DataFolder(settings.data_dir)
        try:
            copied = restore(backup_folder, settings.data_dir)
        finally:
            folder.close()
    except StoreError as error:
        fail(str(error))
    say(f"restored {backup_folder} to {settings.data_dir}: {copied.segments:,} segments; start the table again")
