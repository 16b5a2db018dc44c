import os
from collections.abc import Iterator

import pytest
from tests.drills import (
    deploy_drills,
    edge_drills,
    far_drills,
    github_drills,
    origin_drills,
    table_drills,
    visitor_drills,
)
from tests.drills.drill import Drill, Outcome
from tests.drills.report import table
from tests.drills.stack import BUSY, DrillStack

MODULES = (far_drills, github_drills, edge_drills, origin_drills, deploy_drills, table_drills, visitor_drills)
ALL: list[Drill] = [drill for module in MODULES for drill in module.DRILLS]
OUTCOMES: list[Outcome] = []
LONG = {"test_incident.py": ("all", "incident"), "test_quiet.py": ("quiet",)}  # the words of DRILLS that ask for them
collect_ignore = [file for file, words in LONG.items() if os.environ.get("DRILLS") not in words]


def chosen() -> list[Drill]:
    """DRILLS: `all`, or a word of the names; unset: those that are quick."""
    said = os.environ.get("DRILLS", "")
    return [drill for drill in ALL if (said == "all" or said in drill.name if said else drill.quick)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "drill" in metafunc.fixturenames:
        metafunc.parametrize("drill", chosen(), ids=lambda drill: drill.name)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DrillStack]:
    tolerated = frozenset[str]() if os.environ.get("DRILLS") == "all" else BUSY
    running = DrillStack(tmp_path_factory.mktemp("drills"), tolerated=tolerated)
    yield running
    running.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if OUTCOMES:
        terminalreporter.section("drills")
        for line in table(OUTCOMES):
            terminalreporter.write_line(line)
