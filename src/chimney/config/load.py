"""Reading the settings: chimney.toml < environment < flags.

All faults are found at once, each addressed by where it was said. Every secret may be given as `…_FILE`.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from chimney.config.settings import FollowedOrigin, NotifyTarget, OriginSettings, Settings, TableSettings
from chimney.web.serve import is_loopback

S = TypeVar("S", bound=Settings)


class SettingsError(Exception):
    """Every fault of the configuration, one sentence each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


ROLES: dict[str, tuple[type[Settings], str]] = {
    "origin": (OriginSettings, "CHIMNEY_"),
    "table": (TableSettings, "CHIMNEY_TABLE_"),
}
_OUTSIDE = {"CHIMNEY_CONFIG", "CHIMNEY_TABLE_TOKEN", "CHIMNEY_TABLE_URL", "CHIMNEY_URL"}
_ROWS: dict[str, tuple[type[Settings], set[str]]] = {  # tables of chimney.toml, and which of their keys are secrets
    "origins": (FollowedOrigin, {"read_token", "operate_token"}),
    "notify": (NotifyTarget, {"url", "secret"}),
}
_PER_ORIGIN = re.compile(r"CHIMNEY_TABLE_ORIGIN_(.+)_(READ|OPERATE)_TOKEN(_FILE)?")


def variable(role: str, field: str) -> str:
    return ROLES[role][1] + field.upper()


def known_variables() -> set[str]:
    names = {variable(role, field) for role, (model, _) in ROLES.items() for field in model.model_fields}
    return names | {name + "_FILE" for name in names if is_secret(name)}


def is_secret(name: str) -> bool:
    return name.endswith(("TOKEN", "PASSWORD", "SECRET", "DRAGONFLY_URL", "APP_KEY", "NOTIFY", "HEARTBEAT_URL"))


def nearest(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


class Reading:
    """Values of one role gathered from all places, with where each was said, and the faults met on the way."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.model = ROLES[role][0]
        self.values: dict[str, Any] = {}
        self.said: dict[str, str] = {}
        self.faults: list[str] = []

    def put(self, field: str, value: object, where: str) -> None:
        """Keeps a value; None (a file that could not be read, already a fault) leaves the setting as it was."""
        if value is None:
            return
        self.values[field] = value
        self.said[field] = where

    def put_secret_of(self, file: str, field: str, where: str) -> None:
        secret = self.secret_file(file, where)
        if secret is not None:
            self.put(field, secret, where)

    def secret_file(self, file: str, where: str) -> str | None:
        """What the file holds; None, and a fault, when that cannot be had or is nothing."""
        try:
            secret = Path(file).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self.faults.append(f"{where}: cannot read {file}: {reason.lower()}")
            return None
        if not secret:
            self.faults.append(f"{where}: {file} is empty")
        return secret or None


def read_toml(path: Path | None) -> tuple[dict[str, Any], list[str]]:
    """The file's content; empty when `path` is None and there is no chimney.toml here."""
    file = path or Path("chimney.toml")
    if path is None and not file.exists():
        return {}, []
    try:
        content = tomllib.loads(file.read_text())
    except OSError as error:
        return {}, [f"{file}: cannot be read: {(error.strerror or '').lower()}"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, [f"{file}: is not TOML: {error}"]
    unknown = content.keys() - ROLES.keys()
    return content, [f"{file}: {key}: unknown section{nearest(key, set(ROLES))}" for key in sorted(unknown)]


def _from_toml(reading: Reading, section: object, file: str) -> None:
    if not isinstance(section, dict):
        reading.faults.append(f"{file}: {reading.role}: should be a section, [{reading.role}]")
        return
    for key, value in section.items():
        where = f"{file}: {reading.role}.{key}"
        field = key.removesuffix("_file")
        if key in reading.model.model_fields:
            reading.put(key, value, where)
        elif field != key and field in reading.model.model_fields and is_secret(field.upper()):
            reading.put_secret_of(str(value), field, where)
        else:
            reading.faults.append(f"{where}: unknown setting{nearest(key, set(reading.model.model_fields))}")


def _from_environment(reading: Reading, environ: Mapping[str, str]) -> None:
    for field in reading.model.model_fields:
        name = variable(reading.role, field)
        if environ.get(name):
            reading.put(field, environ[name], name)
        elif environ.get(name + "_FILE") and is_secret(name):
            reading.put_secret_of(environ[name + "_FILE"], field, name + "_FILE")
    if reading.role == "origin" and "github_token" not in reading.values and environ.get("GITHUB_TOKEN"):
        reading.put("github_token", environ["GITHUB_TOKEN"], "GITHUB_TOKEN")


def _origin_pairs(reading: Reading) -> None:
    """`name=url, name=url` as the environment and flags say it; chimney.toml says tables."""
    said = reading.values.get("origins")
    if not isinstance(said, str):
        return
    rows = []
    for pair in filter(None, (part.strip() for part in said.split(","))):
        name, equals, url = pair.partition("=")
        if not equals:
            reading.faults.append(f"{reading.said['origins']}: {pair!r} should be name=url")
            continue
        rows.append({"name": name.strip(), "url": url.strip()})
    reading.values["origins"] = rows


def _secret_files(reading: Reading, key: str) -> None:
    """`read_token_file` of `[[table.origins]]`, `url_file` of `[[table.notify]]` and the like."""
    rows = reading.values.get(key) or []
    for number, row in enumerate(rows) if isinstance(rows, list) else ():
        for field in {f"{one}_file" for one in _ROWS[key][1]} & row.keys() if isinstance(row, dict) else ():
            where = f"{reading.said[key]}/{number}/{field}"
            row[field.removesuffix("_file")] = reading.secret_file(str(row.pop(field)), where)


def _origin_tokens(reading: Reading, environ: Mapping[str, str]) -> None:
    """CHIMNEY_TABLE_ORIGIN_<NAME>_READ_TOKEN and _OPERATE_TOKEN, with the name in capitals and `-` as `_`."""
    origins = reading.values.get("origins") or []
    by_name = {str(row.get("name", "")).upper().replace("-", "_"): row for row in origins if isinstance(row, dict)}
    for name, value in environ.items():
        match = _PER_ORIGIN.fullmatch(name)
        if not match:
            continue
        row = by_name.get(match[1])
        if row is None:
            known = ", ".join(sorted(by_name)) or "none"
            reading.faults.append(f"{name}: no origin is called {match[1]}; known: {known}")
            continue
        row[f"{match[2].lower()}_token"] = reading.secret_file(value, name) if match[3] else value


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    known = known_variables() | _OUTSIDE
    return [
        f"{name}: unknown setting{nearest(name, known)}"
        for name in sorted(environ)
        if name.startswith("CHIMNEY_") and name not in known and not _PER_ORIGIN.fullmatch(name)
    ]


def gather(role: str, *, file: Path | None, environ: Mapping[str, str], flags: Mapping[str, Any]) -> Reading:
    """Everything said about one role, unvalidated. Flags that are None were not given."""
    reading = Reading(role)
    content, faults = read_toml(file)
    reading.faults += faults
    if role in content:
        _from_toml(reading, content[role], str(file or "chimney.toml"))
    _from_environment(reading, environ)
    for field, value in flags.items():
        if value is not None:
            reading.put(field, value, "--" + field.replace("_", "-"))
    if role == "table":
        _origin_pairs(reading)
        for key in _ROWS:
            _secret_files(reading, key)
        _origin_tokens(reading, environ)
    return reading


def _sentences(reading: Reading, error: ValidationError) -> list[str]:
    sentences = []
    for fault in error.errors():
        field, *inner = [str(part) for part in fault["loc"]]
        where = "/".join([reading.said.get(field, f"{reading.role}.{field}"), *inner])
        unknown = fault["type"] == "extra_forbidden"
        near = nearest(inner[-1], set(_ROWS[field][0].model_fields)) if unknown and field in _ROWS else ""
        what = f"unknown setting{near}" if unknown else fault["msg"]
        sentences.append(f"{where}: {what.removeprefix('Value error, ')}")
    return sentences


def validate(reading: Reading, model: type[S]) -> S:
    """The settings, or SettingsError with every fault."""
    faults = list(reading.faults)
    try:
        settings = model.model_validate(reading.values)
    except ValidationError as error:
        raise SettingsError(faults + _sentences(reading, error)) from None
    names = [row.name for row in getattr(settings, "origins", [])]
    faults += [
        f"table.origins: the name {name!r} is given twice" for name in sorted(set(names)) if names.count(name) > 1
    ]
    faults += _open_receiver(reading, settings)
    if faults:
        raise SettingsError(faults)
    return settings


def _open_receiver(reading: Reading, settings: Settings) -> list[str]:
    """A table that others can reach takes telemetry from those only that have its token."""
    if not isinstance(settings, TableSettings) or settings.otlp_token or is_loopback(settings.listen):
        return []
    where = reading.said.get("listen", "table.listen")
    token = variable("table", "otlp_token")
    return [f"{where}: {settings.listen} can be reached from other machines, so {token} must be set"]


def check(*, file: Path | None, environ: Mapping[str, str]) -> list[str]:
    """Every fault of both roles' configuration; empty when it is good."""
    faults: list[str] = []
    for role, (model, _) in ROLES.items():
        try:
            validate(gather(role, file=file, environ=environ, flags={}), model)
        except SettingsError as error:
            faults += error.faults
    return list(dict.fromkeys(faults + _unknown_variables(environ)))


def load(model: type[S], *, file: Path | None, environ: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> S:
    """The settings of one role. Raises SettingsError naming every fault, unknown CHIMNEY_* variables among them."""
    role = next(name for name, (known, _) in ROLES.items() if known is model)
    reading = gather(role, file=file, environ=environ, flags=flags or {})
    reading.faults += _unknown_variables(environ)
    return validate(reading, model)
