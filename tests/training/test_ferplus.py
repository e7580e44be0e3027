from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.data.ferplus import majority, soft_targets
from models.runtime.labels import FERPLUS

pytestmark = pytest.mark.train


def votes(**by_name: int) -> NDArray[np.uint8]:
    """Return one row of votes."""
    names = [*FERPLUS, "unknown", "not_a_face"]
    row = np.zeros((1, len(names)), np.uint8)
    for name, count in by_name.items():
        row[0, names.index(name)] = count
    return row


@pytest.mark.parametrize(
    ("row", "label"),
    [
        (votes(happiness=10), "happiness"),
        (votes(neutral=6, sadness=4), "neutral"),
        (votes(neutral=5, sadness=5), None),
        # More than half of what is left, once the single votes are dropped.
        (votes(anger=5, disgust=4, fear=1), "anger"),
        (votes(anger=4, disgust=3, fear=3), None),
        (votes(surprise=2, neutral=1, happiness=1, sadness=1, anger=1, fear=1), "surprise"),
        (votes(contempt=6, neutral=4), "contempt"),
        (votes(unknown=6, anger=4), None),
        (votes(unknown=5, anger=5), None),
        (votes(not_a_face=10), None),
        (votes(neutral=1, anger=1, fear=1), None),
        (votes(), None),
    ],
)
def test_majority_by_the_rule(row: NDArray[np.uint8], label: str | None) -> None:
    expected = -1 if label is None else FERPLUS.index(label)
    assert majority(row).tolist() == [expected]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (votes(happiness=10), {"happiness": 1.0}),
        (votes(neutral=6, sadness=4), {"neutral": 0.6, "sadness": 0.4}),
        (votes(neutral=7, sadness=2, anger=1), {"neutral": 7 / 9, "sadness": 2 / 9}),
        # Votes for no expression are no part of the distribution over expressions.
        (votes(fear=5, unknown=3, sadness=2), {"fear": 5 / 7, "sadness": 2 / 7}),
        (votes(unknown=5, fear=4), {}),
        (votes(not_a_face=6, fear=4), {}),
        (votes(unknown=4, fear=4), {"fear": 1.0}),
        (votes(neutral=1, anger=1), {}),
        (votes(), {}),
    ],
)
def test_soft_targets_by_the_rule(row: NDArray[np.uint8], expected: dict[str, float]) -> None:
    found = soft_targets(row)
    assert found.shape == (1, 8)
    assert found.dtype == np.float32
    wanted = [[expected.get(name, 0.0) for name in FERPLUS]]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_rows_are_judged_one_by_one() -> None:
    rows = np.concatenate([votes(fear=10), votes(unknown=10), votes(neutral=10)])
    assert majority(rows).tolist() == [FERPLUS.index("fear"), -1, FERPLUS.index("neutral")]
    np.testing.assert_array_equal(soft_targets(rows).sum(axis=1), [1, 0, 1])
