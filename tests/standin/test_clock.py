import pytest
from tests.standin.receiver import Wall

from chimney.standin.clock import Agenda, Clock, stamp


@pytest.mark.parametrize(("speed", "expected"), [(1, 110), (60, 700), (0.5, 105), (0, 110)])
def test_virtual_time_is_the_anchor_and_what_has_passed_since(wall: Wall, speed: float, expected: float) -> None:
    clock = Clock(speed=speed, anchor=100, real=wall)
    wall.move(10)
    assert clock.now() == expected


def test_without_an_anchor_now_is_now(wall: Wall) -> None:
    assert Clock(speed=1, anchor=None, real=wall).now() == wall.now


def test_how_long_to_sleep(wall: Wall) -> None:
    clock = Clock(speed=10, anchor=0, real=wall)
    assert clock.real_seconds_until(50) == 5
    assert clock.real_seconds_until(-1) == 0


def test_what_is_due_happens_in_the_order_of_its_time_and_then_of_its_adding() -> None:
    agenda, seen = Agenda(), list[tuple[str, float]]()
    for at, name in ((3.0, "c"), (1.0, "a"), (1.0, "b"), (9.0, "z")):
        agenda.add(at, lambda due, name=name: seen.append((name, due)))  # type: ignore[misc]
    agenda.run_until(5)
    assert seen == [("a", 1.0), ("b", 1.0), ("c", 3.0)]
    assert (len(agenda), agenda.next_at) == (1, 9.0)


def test_what_a_deed_adds_is_due_in_the_same_round() -> None:
    agenda, seen = Agenda(), list[float]()
    agenda.add(1, lambda at: agenda.add(at + 1, seen.append))
    agenda.run_until(5)
    assert seen == [2]


@pytest.mark.parametrize(("at", "text"), [(0, "1970-01-01T00:00:00Z"), (1_794_736_000.9, "2026-11-15T09:46:40Z")])
def test_github_writes_whole_seconds(at: float, text: str) -> None:
    assert stamp(at) == text
