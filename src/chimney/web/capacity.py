"""How many streams and connections this process can serve.

Granian serves only so many connections as its `backpressure` says, and a stream holds one for minutes. So streams have
a cap, and what is left beyond it is for everything else: a health check must be answered however many listen.
Each connection needs a descriptor; the soft limit of those (1,024 on many systems) is raised as far as allowed.
"""

import resource
from typing import NamedTuple

STREAMS = 8_000
OTHERS = 2_000  # connections beside streams: requests, and those that are kept alive
FILES = 300  # databases, connections to GitHub and Dragonfly, what is being accepted or closed


class Capacity(NamedTuple):
    streams: int
    connections: int


def within(limit: int, streams: int) -> Capacity:
    """What fits into a number of descriptors: where not all does, one connection in five is kept for the rest."""
    room = max(50, limit - FILES)
    connections = min(streams + OTHERS, room)
    return Capacity(min(streams, connections - max(10, connections // 5)), connections)


def capacity(streams: int = STREAMS) -> Capacity:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = streams + OTHERS + FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return within(wanted if soft == resource.RLIM_INFINITY else soft, streams)
