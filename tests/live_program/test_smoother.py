from __future__ import annotations

import numpy as np
import pytest

from app.live.smoother import Smoother
from models.runtime.prediction import Prediction

LABELS = ("neutral", "happiness", "surprise")


def said(*values: float) -> Prediction:
    return Prediction(np.array(values, np.float32), LABELS)


def test_the_first_word_is_taken_as_it_is() -> None:
    shown = Smoother().update(1, said(0.2, 0.7, 0.1), 0.0)
    np.testing.assert_allclose(shown.probabilities, [0.2, 0.7, 0.1], atol=1e-6)
    assert shown.label == "happiness"
    assert shown.confidence == pytest.approx(0.7)


def test_the_frame_rate_does_not_matter() -> None:
    results = []
    for fps in (10, 30, 100):
        smoother = Smoother()
        smoother.update(1, said(0.8, 0.1, 0.1), 0.0)
        for index in range(1, fps // 5 * 2 + 1):
            shown = smoother.update(1, said(0.1, 0.8, 0.1), index / fps)
        results.append(shown.probabilities)
    np.testing.assert_allclose(results[0], results[1], atol=1e-5)
    np.testing.assert_allclose(results[0], results[2], atol=1e-5)


def test_after_one_time_constant_63_percent_of_the_way_in_logarithms_is_gone() -> None:
    smoother = Smoother(0.25)
    smoother.update(1, said(0.8, 0.1, 0.1), 0.0)
    shown = smoother.update(1, said(0.1, 0.8, 0.1), 0.25)
    share = 1 - np.exp(-1)
    logs = (1 - share) * np.log([0.8, 0.1, 0.1]) + share * np.log([0.1, 0.8, 0.1])
    np.testing.assert_allclose(shown.probabilities, np.exp(logs) / np.exp(logs).sum(), atol=1e-6)


def test_probabilities_stay_probabilities_even_beside_zeros() -> None:
    smoother = Smoother()
    for index, word in enumerate([said(1, 0, 0), said(0, 1, 0), said(0, 0, 1)] * 5):
        shown = smoother.update(1, word, index / 30)
        assert np.isfinite(shown.probabilities).all()
        assert shown.probabilities.sum() == pytest.approx(1, abs=1e-5)
        assert shown.probabilities.dtype == np.float32


def test_one_stray_frame_does_not_change_the_label() -> None:
    smoother = Smoother()
    for index in range(10):
        smoother.update(1, said(0.9, 0.05, 0.05), index / 30)
    assert smoother.update(1, said(0.02, 0.96, 0.02), 10 / 30).label == "neutral"


def test_a_new_expression_shows_within_half_a_second() -> None:
    smoother = Smoother()
    for index in range(30):
        smoother.update(1, said(0.9, 0.05, 0.05), index / 30)
    labels = [smoother.update(1, said(0.05, 0.9, 0.05), 1 + i / 30).label for i in range(15)]
    assert labels[0] == "neutral"
    assert labels[-1] == "happiness"


def test_a_close_race_does_not_flicker() -> None:
    smoother = Smoother(0.0, margin=0.1, patience=0.4)
    words = [said(0.45, 0.47, 0.08), said(0.47, 0.45, 0.08)]
    labels = {smoother.update(1, words[index % 2], index / 30).label for index in range(60)}
    assert labels == {"happiness"}


def test_a_small_but_lasting_lead_wins_in_the_end() -> None:
    smoother = Smoother(0.0, margin=0.1, patience=0.4)
    smoother.update(1, said(0.5, 0.42, 0.08), 0.0)
    labels = [smoother.update(1, said(0.44, 0.48, 0.08), 0.1 * i).label for i in range(1, 8)]
    assert labels[2] == "neutral"
    assert labels[-1] == "happiness"


def test_a_label_that_has_only_just_come_to_lead_waits_its_own_time() -> None:
    smoother = Smoother(0.0, margin=0.1, patience=0.4)
    smoother.update(1, said(0.4, 0.3, 0.3), 0.0)
    for time in (0.1, 0.2, 0.3, 0.4):
        assert smoother.update(1, said(0.33, 0.36, 0.31), time).label == "neutral"
    labels = [smoother.update(1, said(0.33, 0.31, 0.36), 0.1 * i).label for i in range(5, 10)]
    assert labels == ["neutral"] * 4 + ["surprise"]


def test_confidence_is_that_of_the_label_shown() -> None:
    smoother = Smoother(0.0)
    smoother.update(1, said(0.5, 0.4, 0.1), 0.0)
    shown = smoother.update(1, said(0.44, 0.48, 0.08), 0.1)
    assert shown.label == "neutral"
    assert shown.confidence == pytest.approx(0.44)


def test_tracks_do_not_mix_and_can_be_forgotten() -> None:
    smoother = Smoother()
    smoother.update(1, said(0.9, 0.05, 0.05), 0.0)
    assert smoother.update(2, said(0.05, 0.9, 0.05), 0.0).label == "happiness"
    smoother.keep({2})
    assert smoother.update(1, said(0.1, 0.1, 0.8), 0.01).label == "surprise"
    assert smoother.update(2, said(0.1, 0.1, 0.8), 0.01).label == "happiness"
    smoother.reset()
    assert smoother.update(2, said(0.1, 0.1, 0.8), 0.02).label == "surprise"


def test_other_labels_begin_anew() -> None:
    smoother = Smoother()
    smoother.update(1, said(0.9, 0.05, 0.05), 0.0)
    other = Prediction(np.array([0.1, 0.9], np.float32), ("calm", "moved"))
    assert smoother.update(1, other, 0.01).label == "moved"
