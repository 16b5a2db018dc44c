"""What the standard `OTEL_…` variables say about traces. Those of the exporter itself are read by the exporter."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from chimney.core.sampling import Sampler, sampler_of

PROTOCOL = "http/protobuf"


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where traces go. `shown` may be told to anyone; `faults` are variables that are not obeyed, and why."""

    shown: str
    sampler: Sampler | None
    faults: list[str]


def destination(environ: Mapping[str, str]) -> Destination | None:
    """None when nothing is to be exported: no endpoint, OTEL_SDK_DISABLED, or OTEL_TRACES_EXPORTER without otlp."""
    endpoint = _of_traces(environ, "ENDPOINT")
    exporters = environ.get("OTEL_TRACES_EXPORTER", "otlp") or "otlp"
    disabled = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if not endpoint or disabled or "otlp" not in exporters.split(","):
        return None
    faults: list[str] = []
    protocol = _of_traces(environ, "PROTOCOL")
    if protocol not in ("", PROTOCOL):
        faults.append(f"OTEL_EXPORTER_OTLP_PROTOCOL: {protocol[:40]!r} is not spoken here, {PROTOCOL} is")
    return Destination(shown=_shown(endpoint), sampler=_sampler(environ, faults), faults=faults)


def _of_traces(environ: Mapping[str, str], name: str) -> str:
    of_all = environ.get(f"OTEL_EXPORTER_OTLP_{name}", "")
    return (environ.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}") or of_all).strip()


def _sampler(environ: Mapping[str, str], faults: list[str]) -> Sampler | None:
    name = environ.get("OTEL_TRACES_SAMPLER", "")
    if not name.strip():
        return None
    try:
        return sampler_of(name, environ.get("OTEL_TRACES_SAMPLER_ARG", "").strip())
    except ValueError as error:
        faults.append(str(error))
        return None


def _shown(endpoint: str) -> str:
    """Without what may be a password before the @."""
    try:
        parts = urlsplit(endpoint)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that is none"
    return f"{parts.scheme}://{parts.hostname or ''}{port}"
