"""Settings of the roles."""

from chimney.config.load import SettingsError, check, load
from chimney.config.settings import FollowedOrigin, NotifyTarget, OriginSettings, TableSettings

__all__ = [
    "FollowedOrigin",
    "NotifyTarget",
    "OriginSettings",
    "SettingsError",
    "TableSettings",
    "check",
    "load",
]
