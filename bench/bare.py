"""The yardstick: a bare ASGI answer of a given size on the same server, event loop and settings.

python -m bench.bare SIZE
"""

import sys

import uvloop

from chimney.web.asgi import Receive, Scope, Send
from chimney.web.serve import leave, serve


class Bare:
    """A Role that does nothing but answer."""

    def __init__(self, size: int) -> None:
        self._body = b'"' + b"x" * (size - 2) + b'"'
        self._headers = [(b"content-type", b"application/json"), (b"content-length", str(size).encode())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body})

    async def start(self) -> None:
        pass

    async def drain(self) -> None:
        pass

    async def stop(self) -> None:
        pass


def main() -> None:
    def ready(address: str) -> None:
        sys.stdout.write(f"ready {address}\n")
        sys.stdout.flush()

    uvloop.run(serve(Bare(int(sys.argv[1])), "127.0.0.1:0", ready=ready))
    leave(0)


if __name__ == "__main__":
    main()
