"""Prometheus, or whatever speaks its API; and Alertmanager."""

from collections.abc import Mapping, Sequence

from chimney.core.elsewhere.alerts import Alert, from_alertmanager, from_prometheus
from chimney.core.elsewhere.prometheus import allowed_step, on_grid, query_of
from chimney.core.series import Fn, Grid
from chimney.table.elsewhere.asking import Source

_SHAPE = (AttributeError, KeyError, TypeError, ValueError)
Figures = list[tuple[dict[str, str], list[float | None]]]


class Prometheus(Source):
    async def series(
        self, name: str, labels: Mapping[str, str], fn: Fn, grid: Grid, *, by: Sequence[str] | None
    ) -> Figures:
        """Figures of each window; empty when the name cannot be one of Prometheus'. Raises SourceError."""
        step = grid.step_ms // 1000
        query = query_of(name, labels, fn, step=step, by=by)
        if query is None:
            return []
        end = grid.start(grid.count) / 1000
        start = grid.start(1) / 1000  # a window is asked for at its end
        form = {"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{self._step(grid)}"}
        answer = await self.ask("/api/v1/query_range", form=form)
        try:
            return on_grid(answer["data"]["result"], grid)
        except _SHAPE as error:
            raise self.unreadable(error) from None

    @staticmethod
    def _step(grid: Grid) -> int:
        return allowed_step(grid.step_ms * grid.count / 1000, grid.step_ms // 1000)

    async def alerts(self) -> list[Alert]:
        """The firing ones. Raises SourceError."""
        answer = await self.ask("/api/v1/alerts")
        try:
            return from_prometheus(answer["data"])
        except _SHAPE as error:
            raise self.unreadable(error) from None


class Alertmanager(Source):
    async def alerts(self) -> list[Alert]:
        """The active ones. Raises SourceError."""
        answer = await self.ask("/api/v2/alerts", {"active": "true", "silenced": "false", "inhibited": "false"})
        try:
            return from_alertmanager(answer)
        except _SHAPE as error:
            raise self.unreadable(error) from None
