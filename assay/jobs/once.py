"""What was last found in a picture, for two checks that ask the same of it at the same time."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar
from weakref import ref

from assay.vocabulary import Pixels

T = TypeVar("T")


class Once(Generic[T]):
    """Asks once about a picture, whoever asks first; the second waits, and gets the same answer.

    Nothing keeps the picture alive. It is known again by being the same array, which must not be changed meanwhile.
    """

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self._lock = Lock()
        self._last: tuple[ref[Pixels], Hashable, T] | None = None

    def ask(self, pixels: Pixels, question: Hashable, look: Callable[[], T]) -> T:
        """What `look` finds, or found when the same was asked of the same picture just before."""
        with self._lock:
            if self._last is not None and self._last[0]() is pixels and self._last[1] == question:
                return self._last[2]
            found = look()
            self._last = (ref(pixels), question, found)
            return found
