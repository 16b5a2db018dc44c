"""What can go wrong with a data folder.

StoreError
├── FolderError          the folder cannot be used at all: the process cannot start
│   ├── InUseError       another process has it
│   └── NewerSchemaError written by a later version of chimney
├── StorageFullError     no room; what is stored stays readable, writing may be tried again
└── StorageFailedError   a write or a read failed otherwise; the store re-opens itself before the next one
"""

from pathlib import Path


class StoreError(Exception):
    """The message is one sentence for the operator."""


class FolderError(StoreError):
    pass


class InUseError(FolderError):
    def __init__(self, folder: Path, pid: str) -> None:
        super().__init__(f"{folder} is in use by pid {pid}; stop that process, or choose another data folder")


class NewerSchemaError(FolderError):
    def __init__(self, file: Path, version: int, known: int) -> None:
        super().__init__(
            f"{file} was written by a later version of chimney (schema {version}, this one knows {known});"
            " install that version again, or restore a backup made before it ran: chimney table --restore FOLDER"
        )


class StorageFullError(StoreError):
    pass


class StorageFailedError(StoreError):
    pass
