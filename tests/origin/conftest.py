"""Real servers that the origin's tests talk to."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.caddy import Caddy

MakeCaddy = Callable[..., Caddy]


@pytest.fixture
def make_caddy(tmp_path: Path) -> Iterator[MakeCaddy]:
    """Makes Caddys that are not started yet, and ends them."""
    made: list[Caddy] = []

    def make(**options: Any) -> Caddy:
        made.append(Caddy(tmp_path / f"caddy{len(made)}", **options))
        return made[-1]

    yield make
    for caddy in made:
        caddy.stop()


@pytest.fixture
def readable_folder() -> Iterator[Path]:
    """A folder whose parents everybody may enter; those of tmp_path are the user's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def caddy(make_caddy: MakeCaddy) -> Caddy:
    return make_caddy().start()
