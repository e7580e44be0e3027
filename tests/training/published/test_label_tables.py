"""The tables between the labels of the data sets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.data.labels_map import AFFECTNET, CK_PLUS, FERG, JAFFE, RAF_DB, translate
from models.runtime.labels import FER2013, FERPLUS


def _indices(table: dict[int, str], label_set: tuple[str, ...]) -> list[int]:
    return [label_set.index(word) if word in label_set else -1 for word in table.values()]


def test_the_tables_say_what_was_published() -> None:
    """As indices, written out once more from the papers and read-me files."""
    assert _indices(RAF_DB, FER2013) == [5, 2, 1, 3, 4, 0, 6]
    assert _indices(AFFECTNET, FER2013) == [6, 3, 4, 5, 2, 1, 0, -1]
    assert _indices(AFFECTNET, FERPLUS) == [0, 1, 3, 2, 6, 5, 4, 7]
    assert _indices(CK_PLUS, FER2013) == [6, 0, -1, 1, 2, 3, 4, 5]
    assert _indices(CK_PLUS, FERPLUS) == [0, 4, 7, 5, 6, 1, 3, 2]
    assert [FER2013.index(JAFFE[code]) for code in ("AN", "DI", "FE", "HA", "SA", "SU", "NE")] == [
        *range(7)
    ]
    assert FERG["joy"] == "happiness"


def test_translation_between_label_sets() -> None:
    every: NDArray[np.int64] = np.arange(-1, 7)
    assert list(translate(every, "fer2013", "ferplus")) == [-1, 4, 5, 6, 1, 3, 2, 0]
    assert list(translate(every, "fer2013", "fer2013-4")) == [-1, 0, -1, -1, 1, 2, -1, 3]
    back = translate(np.arange(8), "ferplus", "fer2013")
    assert list(back) == [6, 3, 5, 4, 0, 1, 2, -1]
