"""The repositories that an origin is about: named in the settings or found in an organisation; and who may see each.

`names` and `spelled` change in place, so that whoever was given them sees what was found.
"""

from collections.abc import Callable, Sequence


class Watched:
    """`spelled` has the spelling by the whole name in lower case. The main repository comes first in `names`."""

    def __init__(self, *, main: str | None, named: Sequence[str] = ()) -> None:
        self.main = main
        self.named = list({name.lower(): name for name in [*([main] if main else []), *named]}.values())
        self.names = list(self.named)
        self.spelled = {name.lower(): name for name in self.names}
        self._private: dict[str, bool] = {}
        self.on_change: Callable[[], None] = lambda: None

    def found(self, names: Sequence[str]) -> tuple[list[str], list[str]]:
        """What an organisation has beside those that are named; returns what came and what went."""
        now = {name.lower(): name for name in [*self.named, *names]}
        came = [name for key, name in now.items() if key not in self.spelled]
        went = [name for key, name in self.spelled.items() if key not in now]
        self.names[:] = now.values()
        self.spelled.clear()
        self.spelled.update(now)
        if came or went:
            self.on_change()
        return came, went

    def is_private(self, repo: str) -> bool | None:
        """None while GitHub has not said."""
        return self._private.get(repo.lower())

    def learn(self, repo: str, *, private: bool) -> None:
        """What GitHub says of a repository."""
        if self._private.get(repo.lower()) is not private:
            self._private[repo.lower()] = private
            self.on_change()
