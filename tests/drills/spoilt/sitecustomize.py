"""A fault in chimney itself, for one process: while the file of DRILL_PANIC exists, the loop `deployments` raises.

Found by the interpreter when this folder is in PYTHONPATH.
"""

import os
from pathlib import Path

from chimney.web.loops import Loop, Supervisor, Verb

FAULT = Path(os.environ["DRILL_PANIC"])
_add = Supervisor.add


def add(self: Supervisor, name: str, verb: Verb, *, after: float = 0.0) -> Loop:
    async def spoilt() -> float:
        if name == "deployments" and FAULT.exists():  # noqa: ASYNC240 — in memory, and only there
            raise LookupError("a fault on purpose")
        return await verb()

    return _add(self, name, spoilt, after=after)


Supervisor.add = add  # type: ignore[method-assign]
