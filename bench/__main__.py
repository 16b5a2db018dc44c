"""`python -m bench [name …]`: all benchmarks, or the named ones. Ends with 1 when a figure missed its bound.

Those that take minutes are run by their name only.
"""

import importlib
import sys

from bench.table import Row, show

ALL = ("hot", "record", "quota", "start", "memory", "page", "search", "ingest", "collector", "streams")
LONG = ("ui", "grammar", "far", "bound", "origins", "switch", "kill", "restart", "disk", "cost")


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in ALL + LONG]
    if unknown:
        sys.stderr.write(f"no benchmark is called {unknown[0]}; there are: {', '.join(ALL + LONG)}\n")
        return 2
    missed: list[Row] = []
    for name in names or ALL:
        module = importlib.import_module(f"bench.{name}")
        rows: list[Row] = module.run()
        show(f"\n{name}: {(module.__doc__ or '').splitlines()[0]}", rows)
        missed += [row for row in rows if row.missed]
    return 1 if missed else 0


raise SystemExit(main(sys.argv[1:]))
