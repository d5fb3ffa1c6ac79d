from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from weakref import ref

import numpy as np

from assay.jobs.once import Once


def _picture() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.zeros((4, 4, 3), np.uint8)


def test_two_threads_look_once_and_see_the_same() -> None:
    once, picture, looks = Once[int](), _picture(), [1, 2, 3]
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda _: once.ask(picture, "mark", looks.pop), range(4)))
    assert found == [3, 3, 3, 3]
    assert looks == [1, 2]


def test_another_picture_or_question_is_looked_at_anew() -> None:
    once, picture, other, looks = Once[int](), _picture(), _picture(), [1, 2, 3]
    asked = [(picture, "mark"), (other, "mark"), (other, "sync")]
    assert [once.ask(pixels, question, looks.pop) for pixels, question in asked] == [3, 2, 1]


def test_the_picture_is_not_kept() -> None:
    once, picture = Once[int](), _picture()
    once.ask(picture, "mark", lambda: 1)
    gone = ref(picture)
    del picture
    gc.collect()
    assert gone() is None
