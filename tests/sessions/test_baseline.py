"""A neutral face is measured over quiet seconds and taken off again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from app.faces.alignment import template
from app.live.baseline import QUIET_SECONDS, Baselines
from app.live.smoother import Smoother
from app.messages import Box, Calibration, Face, Prediction, Quality

LABELS = ("neutral", "sadness", "happiness")
# The average neutral face is read as 80 % neutral; this person's as 30 %, and 65 % sad.
AVERAGE = np.log([0.8, 0.15, 0.05])
PERSON = (0.3, 0.65, 0.05)
GOOD = Quality(1, 1, 1, 1, 1, 1, 1)
FPS = 30


def face(track: int = 1, raised: float = 0.0) -> Face:
    """Return a face of 100 px; raised: by how many sides the points of its brows are lifted."""
    points = np.tile(template(100).mean(0), (68, 1)).astype(np.float32)
    places: NDArray[np.float64] = template(100)
    points[36:42], points[42:48], points[48:68] = places
    points[17:27, 1] -= 20 + 100 * raised
    return Face(Box(0, 0, 100, 100), 1.0, points, track)


def said(*values: float) -> Prediction:
    return Prediction(np.array(values, np.float32), LABELS)


class Watch:
    """Show one face after the other to the baselines."""

    def __init__(self) -> None:
        self.baselines = Baselines()
        self.baselines.use(AVERAGE)
        self.frames = 0

    def see(
        self, seconds: float, *values: float, quality: Quality = GOOD, moving: float = 0.0
    ) -> Calibration | None:
        """Show a face for so long; moving: how far its brows go up and down, in sides."""
        stands: Calibration | None = None
        for _ in range(round(seconds * FPS)):
            self.frames += 1
            raised = moving * (self.frames % 2)
            shown, time = face(raised=raised), self.frames / FPS
            stands = self.baselines.watch(shown, said(*(values or PERSON)), quality, time)
        return stands


@pytest.fixture
def watch() -> Watch:
    watch = Watch()
    watch.baselines.begin(1)
    return watch


def test_five_quiet_seconds_make_a_baseline(watch: Watch) -> None:
    early = watch.see(QUIET_SECONDS / 2 + 0.7)
    assert early is not None
    assert early.progress == pytest.approx(0.5, abs=0.02)
    assert early.note == ""
    assert watch.baselines.offset(1) is None
    assert watch.see(QUIET_SECONDS / 2 + 0.2) is None
    offset = watch.baselines.offset(1)
    assert offset is not None
    np.testing.assert_allclose(offset, np.log(PERSON) - AVERAGE, atol=1e-6)


def test_other_base_rates_leave_the_offset_as_it_is(watch: Watch) -> None:
    weights = np.array([1.0, 3.0, 0.0])
    watch.baselines.use(AVERAGE, weights)
    watch.baselines.begin(1)
    read = np.array(PERSON) * weights
    watch.see(QUIET_SECONDS + 1, *(read / read.sum()))
    offset = watch.baselines.offset(1)
    assert offset is not None
    own = np.array([*np.array(PERSON[:2]) / sum(PERSON[:2]), 1e-3])
    np.testing.assert_allclose(offset, np.clip(np.log(own) - AVERAGE, -2, 2), atol=1e-6)


def test_the_persons_neutral_face_is_read_as_the_average_one_then(watch: Watch) -> None:
    watch.see(QUIET_SECONDS + 1)
    shown = Smoother().update(1, said(*PERSON), 0.0, watch.baselines.offset(1))
    assert shown.corrected is not None
    np.testing.assert_allclose(shown.corrected, [0.8, 0.15, 0.05], atol=1e-5)
    np.testing.assert_allclose(shown.probabilities, PERSON, atol=1e-6)
    assert shown.label == "neutral"
    assert shown.confidence == pytest.approx(0.8, abs=1e-5)


def test_a_change_of_the_face_stays_as_large_as_it_was(watch: Watch) -> None:
    watch.see(QUIET_SECONDS + 1)
    offset = watch.baselines.offset(1)
    smiling = said(0.2, 0.1, 0.7)
    shown = Smoother().update(1, smiling, 0.0, offset)
    assert shown.corrected is not None
    change = np.log(shown.corrected) - np.log([0.8, 0.15, 0.05])
    plain = np.log(smiling.probabilities) - np.log(PERSON)
    np.testing.assert_allclose(np.diff(change), np.diff(plain), atol=1e-5)
    assert shown.label == "happiness"


def test_moving_turned_or_poor_frames_do_not_count(watch: Watch) -> None:
    moving = watch.see(3, moving=0.3)
    assert moving is not None
    assert (moving.progress, moving.note) == (0, "Rest your face: do not speak or smile.")
    turned = watch.see(1, quality=replace(GOOD, turn=0.3))
    assert turned is not None
    assert turned.note == "Look into the camera."
    dark = watch.see(1, quality=replace(GOOD, overall=0.1, advice="More light from the front."))
    assert dark is not None
    assert (dark.progress, dark.note) == (0, "More light from the front.")
    quiet = watch.see(3)
    assert quiet is not None
    assert quiet.progress > 0.3


def test_a_face_that_never_rests_gives_up(watch: Watch) -> None:
    stands = watch.see(30, moving=0.3)
    assert stands is not None
    assert not stands.given_up
    gave_up = watch.see(0.5, moving=0.3)
    assert gave_up == Calibration(
        0.0, "The face was not at rest for long enough.", given_up=True
    ), "for long enough that it is seen"
    assert watch.baselines.offset(1) is None
    assert watch.see(2) is None, "it is over until it is asked for again"
    watch.baselines.begin(1)
    assert watch.see(QUIET_SECONDS + 1) is None
    assert watch.baselines.offset(1) is not None


def test_what_was_not_seen_does_not_count(watch: Watch) -> None:
    watch.see(1.5)
    watch.frames += 10 * FPS
    stands = watch.see(0.5)
    assert stands is not None
    assert stands.progress < 0.4


def test_a_pause_is_not_counted_as_unrest(watch: Watch) -> None:
    watch.see(20, moving=0.3)
    watch.frames += 60 * FPS
    stands = watch.see(5, moving=0.3)
    assert stands is not None
    assert not stands.given_up


def test_no_label_is_moved_without_bound(watch: Watch) -> None:
    watch.see(QUIET_SECONDS + 1, 0.999, 0.0005, 0.0005)
    offset = watch.baselines.offset(1)
    assert offset is not None
    assert abs(offset).max() <= 2.0


def test_another_model_forgets_and_one_without_a_mean_measures_nothing(watch: Watch) -> None:
    watch.see(QUIET_SECONDS + 1)
    watch.baselines.use(None)
    assert not watch.baselines.possible
    assert watch.baselines.offset(1) is None
    watch.baselines.begin(1)
    assert watch.see(1) is None


def test_tracks_are_measured_and_forgotten_one_by_one(watch: Watch) -> None:
    watch.see(QUIET_SECONDS + 1)
    watch.baselines.begin(2)
    assert watch.baselines.watch(face(2), said(*PERSON), GOOD, 0.0) is not None
    assert watch.baselines.watch(face(3), said(*PERSON), GOOD, 0.0) is None
    watch.baselines.keep({1})
    assert watch.baselines.watch(face(2), said(*PERSON), GOOD, 0.1) is None
    assert watch.baselines.offset(1) is not None
    watch.baselines.reset(1)
    assert watch.baselines.offset(1) is None


def test_measuring_anew_keeps_the_old_one_meanwhile(watch: Watch) -> None:
    watch.see(QUIET_SECONDS + 1)
    before = watch.baselines.offset(1)
    watch.baselines.begin(1)
    watch.see(2, 0.6, 0.3, 0.1)
    assert watch.baselines.offset(1) is before
    watch.see(QUIET_SECONDS, 0.6, 0.3, 0.1)
    after = watch.baselines.offset(1)
    assert after is not None
    np.testing.assert_allclose(after, np.log([0.6, 0.3, 0.1]) - AVERAGE, atol=1e-6)


def test_an_expression_that_is_held_is_not_taken_for_rest(watch: Watch) -> None:
    rested = watch.see(4)
    assert rested is not None
    assert rested.progress > 0.6
    smiling = watch.see(1, 0.1, 0.1, 0.8)
    assert smiling == Calibration(0.0, "Your face changed: rest it, from the start.")
    watch.see(2, 0.1, 0.1, 0.8)
    again = watch.see(1)
    assert again is not None
    assert again.progress == 0, "what was counted of the smile is forgotten, too"
    assert watch.see(QUIET_SECONDS + 1) is None
    offset = watch.baselines.offset(1)
    assert offset is not None
    np.testing.assert_allclose(offset, np.log(PERSON) - AVERAGE, atol=1e-6)


def test_one_who_never_keeps_an_expression_gets_no_neutral_face(watch: Watch) -> None:
    stands: Calibration | None = None
    for _ in range(8):
        watch.see(2)
        stands = watch.see(2, 0.1, 0.1, 0.8)
    assert stands is None or stands.given_up
    assert watch.baselines.offset(1) is None
