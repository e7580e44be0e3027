from __future__ import annotations

import numpy as np

from app.review.decimate import AWAY, decimate, ribbon
from app.review.series import UNDECIDED


def test_a_long_line_becomes_one_point_a_column_and_keeps_its_extremes() -> None:
    times = np.arange(10_000) / 100
    values = np.zeros((2, 10_000), np.float32)
    values[0, 5_000] = 1.0  # one frame of a hundred in its column
    values[1] = 0.25
    lines = decimate(times, values, 0.0, 100.0, 100, 0.5)
    assert len(lines.times) == 100
    assert not len(lines.breaks)
    assert lines.high[0].max() == 1.0
    assert lines.high[0].argmax() == 50
    assert lines.mean[0].max() == np.float32(0.01)
    assert lines.low[0].max() == 0.0
    np.testing.assert_allclose(lines.mean[1], 0.25)
    np.testing.assert_allclose(np.diff(lines.times), 1.0, atol=0.02)


def test_means_are_those_of_the_rows_in_each_column() -> None:
    rng = np.random.default_rng(1)
    times = np.sort(rng.random(5_000) * 10)
    values = rng.random((3, 5_000)).astype(np.float32)
    lines = decimate(times, values, 2.0, 6.0, 40, 5.0)
    # The first and last column take in one neighbour each; those in between are exact.
    edges = np.linspace(2.0, 6.0, 41)
    for column in (1, 20, 38):
        inside = (times >= edges[column]) & (times < edges[column + 1])
        np.testing.assert_allclose(lines.mean[:, column], values[:, inside].mean(axis=1), rtol=1e-4)


def test_few_rows_stay_as_they_are_and_break_at_gaps() -> None:
    times = np.array([0.0, 1.0, 2.0, 5.0, 6.0])
    values = np.arange(5, dtype=np.float32)[None]
    lines = decimate(times, values, 0.5, 5.5, 100, 1.5)
    assert lines.times.tolist() == [0.0, 1.0, 2.0, 5.0, 6.0]
    assert lines.breaks.tolist() == [3]


def test_dense_lines_break_where_the_face_was_away() -> None:
    times = np.concatenate([np.arange(2_000) / 100, 50 + np.arange(2_000) / 100])
    lines = decimate(times, np.ones((1, 4_000), np.float32), 0, 70, 70, 0.5)
    (place,) = lines.breaks.tolist()
    assert lines.times[place - 1] < 20 < 50 <= lines.times[place]


def test_nothing_is_a_normal_state() -> None:
    lines = decimate(np.empty(0), np.empty((3, 0), np.float32), 0, 1, 10, 0.5)
    assert lines.mean.shape == (3, 0)
    none = np.empty(0)
    assert (ribbon(none, none, np.empty(0, np.int16), 3, 0, 1, 5) == AWAY).all()


def test_a_ribbon_shows_the_most_frequent_label_of_each_column() -> None:
    times = np.arange(100) / 10
    decided = np.repeat([0, 1, UNDECIDED, 2], 25).astype(np.int16)
    decided[26] = 0  # a flicker
    shown = ribbon(times, times + 0.1, decided, 3, 0.0, 10.0, 20)
    assert shown.tolist() == [0] * 5 + [1] * 5 + [UNDECIDED] * 5 + [2] * 5


def test_a_ribbon_holds_between_rows_but_not_while_the_face_is_away() -> None:
    times = np.array([0.0, 1.0, 9.0])
    decided = np.array([0, 1, 2], np.int16)
    shown = ribbon(times, times + 1.0, decided, 3, 0.0, 10.0, 20)
    assert shown.tolist() == [0, 0, 1, 1, *[AWAY] * 14, 2, 2]
