import pytest

from chimney.core.fingerprint import fingerprint

FRAMES = [("/a/web/app.py", "call"), ("/a/origin/x.py", "one"), ("/a/origin/y.py", "two"), ("/a/core/z.py", "three")]
USUAL = fingerprint("KeyError", "/api/x", FRAMES)


def test_the_same_fault_has_the_same_fingerprint_wherever_it_is_installed() -> None:
    elsewhere = [(file.replace("/a/", "/opt/venv/lib/chimney/"), function) for file, function in FRAMES]
    assert fingerprint("KeyError", "/api/x", elsewhere) == USUAL
    assert fingerprint("KeyError", "/api/x", FRAMES[1:]) == USUAL
    assert len(USUAL) == 16


@pytest.mark.parametrize(
    "other",
    [
        fingerprint("ValueError", "/api/x", FRAMES),
        fingerprint("KeyError", "/api/y", FRAMES),
        fingerprint("KeyError", "/api/x", FRAMES[:-1]),
        fingerprint("KeyError", "/api/x"),
    ],
)
def test_another_type_route_or_place_is_another_fault(other: str) -> None:
    assert other != USUAL


def test_hostile_text_has_a_fingerprint_too() -> None:
    assert len(fingerprint("\ud800", "\x00", [("", ""), ("\n", "\ud800")])) == 16
