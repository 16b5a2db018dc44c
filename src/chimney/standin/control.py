"""`/_standin`: count, break, and do. Never counted, never limited."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from chimney.standin.api import Reply, Request
from chimney.standin.faults import Faults, Order
from chimney.standin.repository import RefusedError
from chimney.standin.stats import Stats

T = TypeVar("T")


class Control:
    """`do` carries out one act, given as the JSON bytes asked for and the API's base address."""

    def __init__(
        self, *, stats: Stats, faults: Faults, do: Callable[[bytes, str], object], now: Callable[[], float]
    ) -> None:
        self._stats = stats
        self._faults = faults
        self._do = do
        self._now = now
        self._table: dict[str, dict[str, Callable[[Request], object]]] = {
            "/_standin/stats": {"GET": lambda _: self._stats.body()},
            "/_standin/reset": {"POST": self._reset},
            "/_standin/faults": {"GET": self._list, "POST": self._break, "DELETE": self._mend},
            "/_standin/do": {"POST": lambda request: self._do(request.body, request.base)},
        }

    @staticmethod
    def owns(path: str) -> bool:
        return path == "/_standin" or path.startswith("/_standin/")

    def reply(self, request: Request) -> Reply:
        methods = self._table.get(request.path)
        if methods is None:
            return _json(404, {"message": f"{request.path} is not one of {', '.join(self._table)}"})
        method = "GET" if request.method == "HEAD" else request.method
        if method not in methods:
            return _json(405, {"message": f"{request.path} knows {', '.join(methods)}"}, allow=", ".join(methods))
        try:
            return _json(200, methods[method](request))
        except msgspec.DecodeError as error:
            return _json(400, {"message": str(error)})
        except RefusedError as refusal:
            return _json(refusal.status if refusal.status in {404, 409} else 400, {"message": str(refusal)})

    def _reset(self, _: Request) -> object:
        self._stats.clear()
        return self._stats.body()

    def _list(self, _: Request) -> object:
        return {"faults": self._faults.current(now=self._now())}

    def _break(self, request: Request) -> object:
        self._faults.add(msgspec.json.decode(request.body, type=Order), now=self._now())
        return self._list(request)

    def _mend(self, request: Request) -> object:
        self._faults.clear()
        return self._list(request)


def _json(status: int, value: object, *, allow: str | None = None) -> Reply:
    body = msgspec.json.encode(value) + b"\n"
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if allow:
        headers.append((b"allow", allow.encode()))
    return Reply(status, headers, body)
