from __future__ import annotations

import itertools
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from app.review.around import around_events
from app.review.edited import edited
from app.review.edits import EditList, Exclude
from app.review.recording import open_recording
from app.review.series import series
from app.review.statistics import correlation_frames, summarise, wilson

if TYPE_CHECKING:
    from tests.review.conftest import Record


def test_shares_means_quality_and_what_is_missing(session: Path) -> None:
    state = edited(open_recording(session), EditList())
    summary = summarise(state, 3, 8.0, 11.9)
    assert (summary.frames, summary.rows) == (40, 30)
    assert summary.missing == pytest.approx(0.25)
    assert summary.quality == pytest.approx(0.8)
    assert summary.unsure is not None
    assert summary.unsure.share == pytest.approx(1 / 3)
    neutral, happiness, anger = summary.labels
    assert neutral.share == pytest.approx(2 / 3)
    assert neutral.episodes == 1
    assert neutral.longest == pytest.approx(2.0)
    assert (happiness.share, anger.share) == (0, 0)
    # Its probability counts although nobody was sure of it.
    assert anger.mean == pytest.approx((20 * 0.1 + 10 * 0.8) / 30)
    assert summarise(state, 1, 3.0, 3.2).dropped == 2
    assert summarise(state, 1, 4.0, 5.0).dropped == 0


def test_a_stretch_lasts_until_its_last_frame_is_shown_no_more(
    tmp_path: Path, record: Record
) -> None:
    # The face smiles on two frames and on one more, after which nobody is there for 3 s.
    def script(index: int) -> list[tuple[int, str]]:
        said = "happiness" if index in (4, 5, 9) else "neutral"
        return [(1, said)] if index < 10 or index >= 40 else []

    state = edited(open_recording(record(tmp_path / "s", script, 50)), EditList())
    _, happiness, _ = summarise(state, 1, 0.0, 4.9).labels
    assert happiness.episodes == 2
    assert happiness.longest == pytest.approx(0.2)
    _, happiness, _ = summarise(state, 1, 0.8, 1.5).labels
    assert happiness.episodes == 1
    assert happiness.longest == pytest.approx(0.1), "nobody is there afterwards"


def test_left_out_rows_are_missing(session: Path) -> None:
    recording = open_recording(session)
    state = edited(recording, EditList((Exclude(1, 2.0, 3.95),)))
    summary = summarise(state, 1, 0.0, 11.9)
    assert summary.rows == 100
    assert summary.missing == pytest.approx(20 / 120)
    assert summary.labels[1].episodes == 2


def test_an_interval_around_a_share_is_wider_than_frames_would_make_it(session: Path) -> None:
    state = edited(open_recording(session), EditList())
    summary = summarise(state, 1, 0.0, 11.9)
    happiness = summary.labels[1]
    assert happiness.share == pytest.approx(0.5)
    assert happiness.episodes == 3
    assert happiness.low is not None
    assert happiness.high is not None
    naive = wilson(0.5, 120)
    assert happiness.low < naive[0]
    assert happiness.high > naive[1]
    assert summary.independent is not None
    assert summary.independent < 40


def test_a_label_that_never_changes_has_no_interval(session: Path) -> None:
    state = edited(open_recording(session), EditList())
    summary = summarise(state, 2, 4.0, 7.9)
    assert summary.labels[2].share == 1
    assert summary.labels[2].low is None
    assert summary.independent is None


def test_an_empty_interval_and_an_absent_face(session: Path) -> None:
    state = edited(open_recording(session), EditList())
    for start, end in ((8.5, 8.6), (50.0, 60.0)):
        summary = summarise(state, 2, start, end)
        assert summary.rows == 0
        assert summary.quality is None
        assert all(label.share == 0 and label.low is None for label in summary.labels)


@pytest.mark.parametrize(
    ("share", "count", "expected"),
    [(0.5, 100, (0.4038, 0.5962)), (0.0, 10, (0.0, 0.2775)), (1.0, 10, (0.7225, 1.0))],
)
def test_wilson_is_as_published(share: float, count: int, expected: tuple[float, float]) -> None:
    assert wilson(share, count) == pytest.approx(expected, abs=1e-4)


def test_independent_values_count_each() -> None:
    values = np.random.default_rng(1).random(20_000) < 0.3
    apart = correlation_frames(values.astype(float), np.arange(20_000), 20_000)
    assert apart == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("length", [5_000, 60_000])
def test_a_label_that_stays_has_the_correlation_time_of_its_chain(length: int) -> None:
    # Two states that are left with 0.02 each: correlation 0.96 a frame, so (1 + r) / (1 - r) = 49.
    flips = np.random.default_rng(2).random(length) < 0.02
    values = (np.cumsum(flips) % 2).astype(float)
    apart = correlation_frames(values, np.arange(length), length)
    assert apart == pytest.approx(49, rel=0.35)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    length, leave, enter = 4_000, 0.03, 0.01
    truth = enter / (enter + leave)
    hits = naive_hits = 0
    for _ in range(200):
        stays = np.where(np.arange(400) % 2 == int(rng.random() < truth), leave, enter)
        lengths = rng.geometric(stays)
        values = np.repeat(stays == leave, lengths)[:length].astype(float)
        apart = correlation_frames(values, np.arange(len(values)), len(values))
        assert apart is not None
        for count, naive in ((len(values) / apart, False), (len(values), True)):
            low, high = wilson(float(values.mean()), count)
            hit = low <= truth <= high
            naive_hits += hit and naive
            hits += hit and not naive
    assert hits >= 178  # 95 % is 190; three standard deviations less
    assert naive_hits < 80


def test_means_around_markers_weigh_each_event_the_same(tmp_path: Path, record: Record) -> None:
    folder = record(
        tmp_path / "s", lambda i: [(1, "happiness" if 50 <= i < 60 or i >= 150 else "neutral")], 200
    )
    part = series(edited(open_recording(folder), EditList()), 1)
    around = around_events(part, [5.0, 15.0], 0.5)
    assert around.events == 2
    np.testing.assert_allclose(around.lags, np.arange(-1.875, 5, 0.25))
    # Both smile for a second, one goes on.
    mean = [0.1] * 8 + [0.8] * 4 + [0.45] * 16
    np.testing.assert_allclose(around.mean[1], mean, atol=1e-6)
    np.testing.assert_allclose(around.error[1], [0] * 12 + [0.35] * 16, atol=1e-6)
    lonely = around_events(part, [-0.5], 0.5)
    assert np.isnan(lonely.mean[0]).tolist() == [True] * 10 + [False] * 18
    assert lonely.counts.tolist() == [0] * 10 + [1] * 18
    assert np.isnan(lonely.error).all()
    assert around_events(part, [500.0], 0.5).events == 0


def test_a_short_gap_does_not_make_the_mean_leap(tmp_path: Path, record: Record) -> None:
    # Of two events one smiles and one does not; the smile's frames are missing for 0.4 s.
    def script(index: int) -> list[tuple[int, str]]:
        return [] if 53 <= index < 57 else [(1, "happiness" if index < 100 else "neutral")]

    part = series(edited(open_recording(record(tmp_path / "s", script, 200)), EditList()), 1)
    around = around_events(part, [5.0, 15.0], 0.5)
    np.testing.assert_allclose(around.mean[1], 0.45, atol=1e-6)
    assert around.counts.tolist() == [2] * 28


def test_means_around_many_markers_are_those_of_a_plain_loop(session: Path) -> None:
    part = series(edited(open_recording(session), EditList()), 1)
    rng = np.random.default_rng(5)
    kept = np.sort(rng.choice(len(part.times), len(part.times) // 4, replace=False))
    part = replace(part, times=part.times[kept], values=part.values[:, kept])
    moments = rng.uniform(-3.0, part.times[-1] + 3.0, 40).tolist()
    edges = np.arange(-8, 21) * 0.25
    curves = np.full((40, len(part.labels), 28), np.nan)
    for curve, moment in zip(curves, moments, strict=True):
        cuts = np.searchsorted(part.times, moment + edges)
        for place, (first, last) in enumerate(itertools.pairwise(cuts)):
            if last > first:
                curve[:, place] = part.values[:, first:last].mean(axis=1)
        there = np.flatnonzero(np.isfinite(curve[0]))
        for left, right in itertools.pairwise(there):
            if right - left <= 3:
                for place in range(left + 1, right):
                    share = (place - left) / (right - left)
                    curve[:, place] = (1 - share) * curve[:, left] + share * curve[:, right]
    around = around_events(part, moments, 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # bins without a row
        np.testing.assert_allclose(around.mean, np.nanmean(curves, axis=0), atol=1e-6)
    assert around.counts.tolist() == np.isfinite(curves[:, 0]).sum(axis=0).tolist()
    assert around.events == np.isfinite(curves).any(axis=(1, 2)).sum()
    assert 0 < around.events <= 40


def test_means_of_seldom_frames_are_drawn_through(session: Path) -> None:
    # Every tenth frame: one a second, four bins apart.
    recording = open_recording(session)
    seldom = series(edited(recording, EditList()), 1)
    seldom = replace(
        seldom, rows=seldom.rows[::10], times=seldom.times[::10], values=seldom.values[:, ::10]
    )
    assert not np.isfinite(around_events(seldom, [6.0], recording.gap).mean).all()
    around = around_events(seldom, [6.0], 3.0)
    assert around.counts.tolist() == [1] * 25 + [0] * 3, "nothing is known behind the last row"
