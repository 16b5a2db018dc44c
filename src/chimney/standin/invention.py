"""Titles, branches and people, drawn so that nothing repeats before everything has been used."""

from collections.abc import Container
from random import Random
from typing import NamedTuple

from chimney.standin.model import Label, User
from chimney.standin.vocabulary import BUGS, CHANGES, DEPENDABOT, FOLLOW_UPS, LABEL, MENDS, PEOPLE, UPDATES, WISHES


class Change(NamedTuple):
    title: str
    branch: str
    labels: list[Label]
    author: User


class Invention:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._left: dict[str, list[int]] = {}
        self._rounds: dict[str, int] = {}
        self._versions = {name: minor for name, minor, _ in UPDATES}

    def change(self) -> Change:
        if self._random.random() < 0.12:
            return self._update()
        index = self._draw("change", len(CHANGES))
        title, branch, label = CHANGES[index]
        again = self._rounds["change"]
        if again > 1:
            branch = f"{branch}-{again}"
        return Change(title, branch, [LABEL[label]], self.person())

    def _update(self) -> Change:
        name = self._random.choice(tuple(self._versions))
        old = self._versions[name]
        self._versions[name] = old + 1
        title = f"Bump {name} from 0.{old}.0 to 0.{old + 1}.0"
        return Change(title, f"dependabot/{name}-0.{old + 1}.0", [LABEL["dependencies"]], DEPENDABOT)

    def bug(self, *, known: Container[str] = ()) -> str:
        return self._title("bug", BUGS, known)

    def wish(self, *, known: Container[str] = ()) -> str:
        return self._title("wish", WISHES, known)

    def _title(self, deck: str, titles: tuple[str, ...], known: Container[str]) -> str:
        """One that is not `known`, unless all are."""
        drawn = (titles[self._draw(deck, len(titles))] for _ in range(2 * len(titles)))
        fallback = next(drawn)
        return fallback if fallback not in known else next((one for one in drawn if one not in known), fallback)

    def person(self) -> User:
        return self._random.choice(PEOPLE)

    def follow_up(self) -> str:
        return self._random.choice(FOLLOW_UPS)

    def mend(self) -> str:
        return self._random.choice(MENDS)

    def _draw(self, deck: str, size: int) -> int:
        left = self._left.get(deck)
        if not left:
            left = self._left[deck] = self._random.sample(range(size), size)
            self._rounds[deck] = self._rounds.get(deck, 0) + 1
        return left.pop()
