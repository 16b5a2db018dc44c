"""What is seen without signing in: the wall behind its links, badges, and CCTray XML for wallboards.

/tv/{token} /api/wall/stream          wall    the screen in the room, for whoever has a link
/api/links                            links   making and revoking those
/badge/{origin}/{name}.svg            badges  for READMEs
/api/cctray.xml                       badges  for wallboards

Loops: links wall.
"""

from typing import Any

from chimney.config import TableSettings
from chimney.store.database import Database
from chimney.store.links import LinkStore
from chimney.store.telemetry import SampleStore
from chimney.table.audit import Audit
from chimney.table.links import Links
from chimney.table.operating import Operating
from chimney.table.patient import patient
from chimney.table.wall import WallPage, Walls
from chimney.table.watching import Watching
from chimney.web.asgi import App
from chimney.web.hub import Room
from chimney.web.loops import Supervisor
from chimney.web.record import RequestRecord


class Showing:
    def __init__(
        self,
        settings: TableSettings,
        *,
        database: Database,
        store: SampleStore,
        watching: Watching,
        operating: Operating,
        boot: str,
        room: Room,
    ) -> None:
        self._settings = settings
        self._watching = watching
        self._operating = operating
        self.links = Links(LinkStore(database))
        self.walls = Walls(watching.board, store, boot=boot, room=room)

    async def load(self) -> None:
        await self.links.load()

    def add_loops(self, loops: Supervisor) -> None:
        loops.add("links", patient(self.links.sweep))
        loops.add("wall", self.walls.tell)

    def page(self, page: App) -> App:
        return WallPage(self.links, page)

    def routes(self, audit: Audit) -> list[Any]:
        from chimney.table import access, badges, links, pipelines, wall  # noqa: PLC0415

        board, sessions = self._watching.board, self._operating.sessions

        def admit(record: RequestRecord) -> Any:
            return access.wallboard(record, sessions, self.links)

        looked = pipelines.Pipelines(self._operating.reach, told=board.pipelines, deployments=board.deployments)
        names = [one.name for one in self._settings.origins]
        return [
            *links.routes(self.links, audit, names),
            *wall.routes(self.walls, self.links),
            *badges.routes(badges.Wallboards(board, looked, admit=admit, shown=self._settings.badges)),
        ]

    def drain(self) -> None:
        self.walls.hub.close()
