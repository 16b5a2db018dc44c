"""Settings of the roles."""

from chimney.config.load import SettingsError, check, load, without_effect
from chimney.config.settings import FollowedOrigin, OriginSettings, TableSettings

__all__ = ["FollowedOrigin", "OriginSettings", "SettingsError", "TableSettings", "check", "load", "without_effect"]
