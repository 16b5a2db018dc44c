"""Names that came from outside, few by count: one too many is called `other`."""

from collections.abc import Iterable

from chimney.wire.telemetry import MetricName, SampleRow

MOST_SERVICES = 1_000
MOST_METRICS = 5_000
OTHER = "other"


class Names:
    """`new_services` and `new_metrics` are to be written; they stay until `written`."""

    def __init__(self, services: Iterable[str] = (), metrics: Iterable[MetricName] = ()) -> None:
        self.services = set(services)
        self.metrics = {one.name: one for one in metrics}
        self.new_services: set[str] = set()
        self.new_metrics: set[str] = set()

    def service(self, name: str) -> str:
        """The name it goes by."""
        if name in self.services:
            return name
        if len(self.services) >= MOST_SERVICES:
            return OTHER
        self.services.add(name)
        self.new_services.add(name)
        return name

    def metric(self, sample: SampleRow) -> str:
        """The name it goes by."""
        known = self.metrics.get(sample.name)
        if known and sample.labels.keys() <= set(known.labels):
            return sample.name
        if not known and len(self.metrics) >= MOST_METRICS:
            return OTHER
        labels = {*(known.labels if known else ()), *sample.labels}
        self.metrics[sample.name] = MetricName(name=sample.name, kind=sample.kind, labels=sorted(labels))
        self.new_metrics.add(sample.name)
        return sample.name

    def written(self) -> None:
        self.new_services.clear()
        self.new_metrics.clear()
