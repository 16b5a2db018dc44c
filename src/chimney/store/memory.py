"""The near tier: stored responses in this process, bounded by bytes, least recently used out first."""

import threading
from collections import OrderedDict
from collections.abc import Iterable

from chimney.store.ports import StoredResponse

CAPACITY_BYTES = 24 * 1024 * 1024


class MemoryStore:
    """A ResponseStore. For the event loop and the server's thread; nothing here blocks for longer than a look at all
    keys takes."""

    def __init__(self, capacity_bytes: int = CAPACITY_BYTES) -> None:
        self._held: OrderedDict[str, StoredResponse] = OrderedDict()
        self._one_at_a_time = threading.Lock()
        self.capacity = capacity_bytes
        self.bytes = 0
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: str) -> StoredResponse | None:
        with self._one_at_a_time:
            response = self._held.get(key)
            if response is not None:
                self._held.move_to_end(key)
            return response

    def put(self, key: str, response: StoredResponse) -> None:
        with self._one_at_a_time:
            self._remove(key)
            if response.size > self.capacity:
                return
            self._held[key] = response
            self.bytes += response.size
            while self.bytes > self.capacity and self._held:
                oldest = next(iter(self._held))
                self._remove(oldest)
                self.evicted += 1

    def _remove(self, key: str) -> bool:
        response = self._held.pop(key, None)
        if response is None:
            return False
        self.bytes -= response.size
        return True

    def remove_prefix(self, prefix: str) -> int:
        path = prefix.rstrip("/")
        with self._one_at_a_time:
            keys = [key for key in self._held if key == path or key.startswith((path + "/", path + "?"))]
            return sum(map(self._remove, keys))

    def clear(self) -> int:
        with self._one_at_a_time:
            count = len(self._held)
            self._held.clear()
            self.bytes = 0
            return count

    def entries(self) -> Iterable[tuple[str, StoredResponse]]:
        with self._one_at_a_time:
            return list(self._held.items())

    def ages(self, now: float) -> list[float]:
        """Seconds since each response was validated, sorted; empty when nothing is held. From any thread."""
        with self._one_at_a_time:
            held = list(self._held.values())
        return sorted(now - response.validated_at for response in held)
