"""What became of spans."""

import threading
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric

CAPACITY = 2048  # spans that wait or are on their way


class SpanCount:
    """`taken` were handed to the processor; `dropped` were not, because too many waited there."""

    def __init__(self) -> None:
        self.taken = 0
        self.exported = 0
        self.failed = 0
        self.dropped = 0
        self._taking = threading.Lock()

    def take(self) -> bool:
        """Whether there is room for one more, which is then counted; else it is dropped. From any thread."""
        with self._taking:
            room = self.taken - self.exported - self.failed < CAPACITY
            self.taken += room
            self.dropped += not room
            return room

    @property
    def lost(self) -> int:
        return self.failed + self.dropped

    def metrics(self) -> Iterator[Metric]:
        spans = CounterMetricFamily("chimney_spans", "Spans by what became of them.", labels=["result"])
        for result, count in (("exported", self.exported), ("failed", self.failed), ("dropped", self.dropped)):
            spans.add_metric([result], count)
        yield spans
