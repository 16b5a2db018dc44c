"""requests, which OpenTelemetry's exporter uses, without the guesser of encodings that it would import.

The guesser is 3 MB of tables, and takes its time with what a hostile collector answers. requests can do without, and
then takes every text for UTF-8.
"""

import sys
import warnings
from types import ModuleType

_GUESSERS = ("chardet", "charset_normalizer")


def import_requests() -> None:
    """To be called before anything that imports requests; nothing is changed for others, who may import the guesser."""
    absent = [name for name in _GUESSERS if name not in sys.modules]
    warnings.filterwarnings("ignore", message="Unable to find acceptable character detection")
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    modules.update(dict.fromkeys(absent))  # an import of None raises ImportError
    try:
        import requests  # noqa: F401, PLC0415
    finally:
        for name in absent:
            del sys.modules[name]
