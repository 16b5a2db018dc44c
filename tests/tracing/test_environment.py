"""The standard variables that say whether and where traces go."""

import pytest

from chimney.core.sampling import Sampler
from chimney.tracing.environment import destination

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "  "},
        {**ENDPOINT, "OTEL_SDK_DISABLED": "TRUE"},
        {**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4318"},
    ],
)
def test_without_an_endpoint_or_when_told_so_nothing_is_exported(environ: dict[str, str]) -> None:
    assert destination(environ) is None


@pytest.mark.parametrize(
    ("environ", "shown"),
    [
        (ENDPOINT, "http://collector:4318"),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://traces.test/v1/traces"}, "https://traces.test"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://me:secret@collector:4318/x?key=secret"}, "http://collector:4318"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://[::1"}, "an address that is none"),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "false", "OTEL_TRACES_EXPORTER": "console,otlp"}, "http://collector:4318"),
    ],
)
def test_the_address_is_told_without_its_secrets(environ: dict[str, str], shown: str) -> None:
    to = destination(environ)
    assert to
    assert (to.shown, to.sampler, to.faults) == (shown, None, [])


def test_a_sampler_is_obeyed_when_set() -> None:
    to = destination({**ENDPOINT, "OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"})
    assert to
    assert to.sampler == Sampler(ratio=0.1, parent_based=True)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"OTEL_TRACES_SAMPLER": "sometimes"}, "OTEL_TRACES_SAMPLER: 'sometimes' is none of"),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "x"}, "OTEL_TRACES_SAMPLER_ARG: 'x'"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' is not spoken here"),
    ],
)
def test_a_variable_that_cannot_be_obeyed_is_told_and_ends_nothing(said: dict[str, str], fault: str) -> None:
    to = destination({**ENDPOINT, **said})
    assert to
    assert to.sampler is None
    [told] = to.faults
    assert told.startswith(fault)
