"""Figures of an evaluation against what is worked out by hand or printed in the literature."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from models.evaluate import BINS, EXACT_BELOW, evaluate, mcnemar, wilson
from models.runtime.errors import UserError

LABELS = ("anger", "happiness", "neutral")
UNUSED = -1


def logits_of(rows: list[tuple[float, float, float]]) -> NDArray[np.float32]:
    """Return logits whose softmax at temperature 1 gives these probabilities."""
    return np.log(np.array(rows, np.float32))


# The fourth is not used; the second and the last are wrong.
LOGITS = logits_of(
    [(0.8, 0.1, 0.1), (0.5, 0.3, 0.2), (0.1, 0.8, 0.1), (0.2, 0.2, 0.6), (0.05, 0.9, 0.05)]
)
TRUTH = np.array([0, 1, 1, UNUSED, 0])


def test_figures_worked_out_by_hand() -> None:
    whole = evaluate(LOGITS, TRUTH, labels=LABELS, temperature=1.0).whole
    assert whole.n == 4
    assert whole.accuracy == 0.5
    assert whole.confusion == ((1, 1, 0), (1, 1, 0), (0, 0, 0))
    # No picture is neutral, so it has no recall and no part in the mean of F1.
    assert whole.per_class_recall == {"anger": 0.5, "happiness": 0.5}
    assert whole.macro_f1 == pytest.approx(0.5)
    assert whole.nll == pytest.approx(-sum(map(math.log, (0.8, 0.3, 0.8, 0.05))) / 4, rel=1e-5)
    # Two at 0.8 and right, one at 0.5 and one at 0.9, both wrong.
    assert whole.ece == pytest.approx((2 * 0.2 + 0.5 + 0.9) / 4, rel=1e-5)


def test_the_mean_recall_is_the_accuracy_at_even_rates() -> None:
    logits = np.tile(LOGITS[:2], (3, 1))[:5]
    whole = evaluate(logits, np.array([0, 1, 0, 1, 0]), labels=LABELS, temperature=1.0).whole
    assert (whole.accuracy, whole.mean_recall) == (0.6, 0.5)


def test_weights_move_answers_and_confidence_and_leave_labels_out() -> None:
    weights = np.array([1.0, 4.0, 1.0])
    found = evaluate(LOGITS, TRUTH, labels=LABELS, temperature=1.0, weights=weights)
    assert found.predicted.tolist() == [0, 1, 1, 1]
    assert found.confidence[1] == pytest.approx(1.2 / 1.9, rel=1e-5)
    without = np.array([1.0, 0.0, 1.0])
    found = evaluate(LOGITS, TRUTH, labels=LABELS, temperature=1.0, weights=without)
    assert found.rows.tolist() == [0, 4], "a picture of what is left out does not count"
    assert found.predicted.tolist() == [0, 0]
    assert np.isfinite(found.whole.nll)


def test_the_temperature_changes_the_confidence_and_not_the_answer() -> None:
    plain = evaluate(LOGITS, TRUTH, labels=LABELS, temperature=1.0)
    soft = evaluate(LOGITS, TRUTH, labels=LABELS, temperature=2.0)
    assert soft.whole.confusion == plain.whole.confusion
    roots = np.sqrt([0.8, 0.1, 0.1])
    assert soft.confidence[0] == pytest.approx(roots[0] / roots.sum(), rel=1e-5)
    assert soft.whole.nll != pytest.approx(plain.whole.nll)


def test_rows_and_mistakes_point_to_the_pictures_given() -> None:
    found = evaluate(LOGITS, TRUTH, labels=LABELS, temperature=1.0)
    assert found.rows.tolist() == [0, 1, 2, 4]
    assert found.hits.tolist() == [True, False, True, False]
    assert [int(found.rows[place]) for place in found.worst(5)] == [4, 1]
    assert [int(found.rows[place]) for place in found.worst(1)] == [4]


def test_copies_are_left_out_of_the_second_figures_only() -> None:
    copies = np.array([False, True, False, True, True])
    found = evaluate(LOGITS, TRUTH, labels=LABELS, temperature=1.0, copies=copies)
    assert found.whole.n == 4
    assert found.deduplicated is not None
    assert (found.deduplicated.n, found.deduplicated.accuracy) == (2, 1.0)


@pytest.mark.parametrize("copies", [None, np.ones(5, bool)])
def test_no_figures_without_copies_where_there_is_nothing_to_tell(
    copies: NDArray[np.bool_] | None,
) -> None:
    found = evaluate(LOGITS, TRUTH, labels=LABELS, temperature=1.0, copies=copies)
    assert found.deduplicated is None


def test_bins_add_up_to_the_calibration_error() -> None:
    rng = np.random.default_rng(3)
    logits = (3 * rng.normal(size=(500, 3))).astype(np.float32)
    found = evaluate(logits, rng.integers(0, 3, 500), labels=LABELS, temperature=1.3)
    assert sum(entry.n for entry in found.bins) == 500
    gaps = sum(entry.n * abs(entry.accuracy - entry.confidence) for entry in found.bins)
    assert gaps / 500 == pytest.approx(found.whole.ece, abs=1e-5)
    assert len(found.bins) <= BINS
    assert all(entry.low <= entry.confidence <= entry.high for entry in found.bins)


def test_no_picture_to_judge_is_said() -> None:
    with pytest.raises(UserError, match="found none among 5"):
        evaluate(LOGITS, np.full(5, UNUSED), labels=LABELS, temperature=1.0)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 1 - 0.1611, 1.0),
    ],
)
def test_wilson_gives_the_published_intervals(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits, n) == pytest.approx((low, high), abs=5e-5)


def paired(both: int, first: int, second: int, none: int) -> tuple[NDArray[np.bool_], ...]:
    """Return the hits of two models that agree and differ this often."""
    counts = (both, first, second, none)
    return (
        np.repeat([True, True, False, False], counts),
        np.repeat([True, False, True, False], counts),
    )


def test_mcnemar_is_exact_for_few_pictures() -> None:
    found = mcnemar(*paired(40, 6, 16, 9))
    assert (found.first_only, found.second_only) == (6, 16)
    assert found.test == "exact binomial"
    assert found.statistic is None
    # Twice the sum of C(22, 0) to C(22, 6), over 2 to the 22nd.
    assert found.p == pytest.approx(2 * 110_056 / 4_194_304)


def test_mcnemar_is_corrected_for_many_pictures() -> None:
    found = mcnemar(*paired(59, 121, 59, 75))
    assert found.test == "chi-square with continuity correction"
    assert found.statistic == pytest.approx(61**2 / 180)
    assert found.p == pytest.approx(5.45e-6, rel=0.01)


def test_mcnemar_changes_its_test_at_the_stated_number() -> None:
    assert mcnemar(*paired(0, 10, EXACT_BELOW - 11, 0)).statistic is None
    found = mcnemar(*paired(0, 10, EXACT_BELOW - 10, 0))
    assert found.statistic == pytest.approx(16 / 25)
    assert found.p == pytest.approx(0.4237, abs=5e-5)  # chi-square 0.64, one degree of freedom


@pytest.mark.parametrize(("first", "second"), [(0, 0), (4, 4), (30, 30), (30, 31)])
def test_models_that_err_equally_often_do_not_differ(first: int, second: int) -> None:
    assert mcnemar(*paired(5, first, second, 5)).p == pytest.approx(1.0)
