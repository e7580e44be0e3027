from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.data.face_set import FaceSet
from models.measure import measure, truth_for
from models.runtime.errors import UserError
from models.runtime.labels import FER2013, FERPLUS
from models.training.metrics import (
    accuracy,
    calibration_error,
    confusion,
    fit_temperature,
    log_softmax,
    macro_f1,
    negative_log_likelihood,
    recalls,
)

pytestmark = pytest.mark.train


def logits_of(predicted: list[int], classes: int = 3) -> NDArray[np.float32]:
    return np.eye(classes, dtype=np.float32)[predicted] * 5


TRUTH = np.array([0, 0, 0, 1, 1, 2], dtype=np.int64)
LOGITS = logits_of([0, 0, 1, 1, 0, 1])


def drawn(count: int, scale: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return logits `scale` times as sure as the truth, which is drawn by them, is."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (count, 7))
    chances = np.exp(log_softmax(logits)).cumsum(axis=1)
    truth = (rng.random((count, 1)) > chances).sum(axis=1).clip(0, 6)
    return logits * scale, truth.astype(np.int64)


def test_accuracy_and_confusion_by_hand() -> None:
    assert accuracy(LOGITS, TRUTH) == 0.5
    assert confusion(LOGITS, TRUTH).tolist() == [[2, 1, 0], [1, 1, 0], [0, 1, 0]]


def test_recalls_and_macro_f1_by_hand() -> None:
    counts = confusion(LOGITS, TRUTH)
    np.testing.assert_allclose(recalls(counts), [2 / 3, 1 / 2, 0])
    # F1 is 2 x hits / (truth + predicted): 4 / 6, 2 / 5 and 0.
    assert macro_f1(counts) == pytest.approx((4 / 6 + 2 / 5 + 0) / 3)


def test_a_class_not_present_has_no_recall_and_no_part_in_f1() -> None:
    counts = confusion(logits_of([0, 1], 3), np.array([0, 1], dtype=np.int64))
    assert np.isnan(recalls(counts)[2])
    assert macro_f1(counts) == 1.0


def test_likelihood_by_hand() -> None:
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]))
    truth = np.array([1, 1], dtype=np.int64)
    expected = -(np.log(0.25) + np.log(0.8)) / 2
    assert negative_log_likelihood(logits, truth) == pytest.approx(expected)


def test_enormous_logits_do_not_overflow() -> None:
    logits = np.array([[1e5, -1e5, 0.0]], dtype=np.float32)
    assert np.isfinite(log_softmax(logits)).all()
    assert negative_log_likelihood(logits, np.array([0], dtype=np.int64)) == 0


def test_calibration_error_by_hand() -> None:
    # Four answers at 80 %, half of them right; two at 100 %, both right.
    logits = np.log(np.array([[0.8, 0.2]] * 4 + [[1 - 1e-9, 1e-9]] * 2))
    truth = np.array([0, 0, 1, 1, 0, 0], dtype=np.int64)
    assert calibration_error(logits, truth) == pytest.approx(0.3 * 4 / 6, abs=1e-6)


def test_a_calibrated_set_has_hardly_any_calibration_error() -> None:
    assert calibration_error(*drawn(20_000, scale=1.0)) < 0.01
    assert calibration_error(*drawn(20_000, scale=3.0)) > 0.1


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.5])
def test_the_temperature_fitted_is_the_scale_of_the_logits(scale: float) -> None:
    logits, truth = drawn(20_000, scale)
    temperature = fit_temperature(logits, truth)
    assert temperature is not None
    assert temperature == pytest.approx(scale, rel=0.03)
    assert calibration_error(logits / temperature, truth) < 0.01


def test_where_no_temperature_is_the_likeliest_none_is_made_up() -> None:
    truth = np.arange(40) % 3
    for scale in (0.1, 1, 100):
        assert fit_temperature(scale * logits_of([*truth]), truth) is None
    assert fit_temperature(logits_of([*((truth + 1) % 3)]), truth) is None
    almost = fit_temperature(logits_of([*truth[:-1], 0]), np.append(truth[:-1], 1))
    assert almost is not None
    assert 0.5 < almost < 3


def test_measure_counts_what_the_rule_uses_and_is_plain_json() -> None:
    truth = np.array([0, 0, 1, -1, 4], dtype=np.int64)
    logits = logits_of([0, 1, 1, 2, 4], len(FERPLUS))
    metric = measure(
        logits, truth, temperature=2.0, label_set="ferplus", source="fer2013", crops="one"
    )
    assert metric.n == 4
    assert metric.accuracy == 0.75
    assert metric.recall == {"neutral": 0.5, "happiness": 1.0, "anger": 1.0}
    assert metric.nll == pytest.approx(
        negative_log_likelihood(logits[truth >= 0] / 2, truth[truth >= 0]), abs=1e-5
    )
    json.dumps(asdict(metric), allow_nan=False)


def test_measure_needs_a_picture() -> None:
    with pytest.raises(UserError, match="expected PublicTest pictures to measure ferplus on"):
        measure(
            logits_of([1], 8),
            np.array([-1], dtype=np.int64),
            temperature=1.0,
            label_set="ferplus",
            source="fer2013",
            crops="one",
        )


def test_truth_is_the_label_or_the_majority(faces: FaceSet) -> None:
    assert truth_for(faces, "fer2013") is faces.labels
    votes = np.zeros((2, 10), np.uint8)
    votes[:, FERPLUS.index("fear")] = (10, 4)
    votes[1, 8] = 6
    two = replace(faces.select(np.arange(2)), votes=votes)
    assert truth_for(two, "ferplus").tolist() == [FERPLUS.index("fear"), -1]
    assert FER2013.index("fear") != FERPLUS.index("fear")


def test_truth_by_votes_needs_votes(faces: FaceSet) -> None:
    with pytest.raises(UserError, match=r"expected FER\+ votes .* found none: put fer2013new"):
        truth_for(replace(faces, votes=None), "ferplus")
