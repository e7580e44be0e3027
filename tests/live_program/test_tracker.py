from __future__ import annotations

import numpy as np
import pytest

from app.faces.base import square
from app.live.tracker import OneEuro, Track, Tracker
from app.messages import Face


def face(x: float, y: float = 200.0, side: float = 100.0, track_id: int | None = None) -> Face:
    return Face(square(x, y, side), 1.0, None, track_id)


def see(tracker: Tracker, time: float, *faces: Face) -> list[int | None]:
    tracker.advance(time)
    return [each.track_id for each in tracker.update(faces, time)]


def test_ids_begin_at_one_and_stay() -> None:
    tracker = Tracker()
    assert see(tracker, 0.0, face(100), face(400)) == [1, 2]
    assert see(tracker, 0.1, face(405), face(98)) == [2, 1]


def test_followed_faces_keep_the_id_they_bring() -> None:
    tracker = Tracker()
    see(tracker, 0.0, face(100), face(400))
    assert see(tracker, 0.1, face(390, track_id=1), face(110, track_id=2)) == [1, 2]


def test_ids_survive_a_crossing() -> None:
    tracker = Tracker()
    for index in range(31):
        time = index / 30
        left_to_right, right_to_left = face(100 + 12 * index), face(460 - 12 * index)
        ids = see(tracker, time, right_to_left, left_to_right)
        if index == 0:
            assert ids == [1, 2]
    assert ids == [1, 2]


def test_ids_survive_a_crossing_in_which_one_is_hidden() -> None:
    tracker = Tracker()
    ids: list[int | None] = []
    for index in range(31):
        front, behind = face(100 + 12 * index), face(460 - 12 * index)
        hidden = abs(front.box.centre[0] - behind.box.centre[0]) < 90
        ids = see(tracker, index / 30, front, *([] if hidden else [behind]))
    assert ids == [1, 2]


def test_half_a_second_of_absence_keeps_the_id_and_the_course() -> None:
    tracker = Tracker()
    for index in range(15):
        see(tracker, index / 30, face(100 + 4 * index))
    for index in range(15, 30):
        see(tracker, index / 30)
    assert see(tracker, 1.0, face(100 + 4 * 30)) == [1]


def test_a_second_of_absence_makes_a_new_face() -> None:
    tracker = Tracker()
    see(tracker, 0.0, face(100))
    for index in range(1, 10):
        see(tracker, index / 10)
    assert see(tracker, 1.0, face(100)) == [2]


def test_who_is_hidden_by_another_is_awaited_longer() -> None:
    tracker = Tracker()
    see(tracker, 0.0, face(200), face(240))
    for index in range(1, 15):
        see(tracker, index / 10, face(200, track_id=1))
    assert see(tracker, 1.5, face(200, track_id=1), face(245)) == [1, 2]


@pytest.mark.parametrize("other", [face(350), face(100, side=300), face(100, 420)])
def test_a_face_elsewhere_or_of_another_size_is_another(other: Face) -> None:
    tracker = Tracker()
    see(tracker, 0.0, face(100))
    assert see(tracker, 0.1, other) == [2]


def test_reset_forgets_faces_but_goes_on_counting() -> None:
    tracker = Tracker()
    see(tracker, 0.0, face(100))
    tracker.reset()
    assert tracker.tracks == ()
    assert see(tracker, 0.1, face(100)) == [2]


@pytest.mark.parametrize("later", [2.0, 11.0])
def test_time_that_leaps_or_runs_backward_is_another_film(later: float) -> None:
    tracker = Tracker()
    see(tracker, 10.0, face(100))
    assert see(tracker, later, face(100)) == [2]


def test_confirmation_counts_the_searches_that_missed() -> None:
    tracker = Tracker()
    see(tracker, 0.0, face(100))
    for expected in (1, 2):
        tracker.confirm([face(100, track_id=1)], [face(400)])
        assert tracker.tracks[0].missed == expected
    tracker.confirm([face(100, track_id=1)], [face(120)])
    assert tracker.tracks[0].missed == 0


def test_one_euro_steadies_what_rests() -> None:
    rng = np.random.default_rng(0)
    rest = rng.uniform(0, 100, (68, 2))
    smooth = OneEuro()
    raw = [(rest + rng.normal(0, 0.5, rest.shape)).astype(np.float32) for _ in range(90)]
    out = [smooth(points, index / 30, 100.0) for index, points in enumerate(raw)]
    steps_raw = np.abs(np.diff(raw[30:], axis=0)).mean()
    steps_out = np.abs(np.diff(out[30:], axis=0)).mean()
    assert steps_out < 0.5 * steps_raw
    assert np.abs(np.mean(out[30:], axis=0) - rest).mean() < 0.3


def test_one_euro_hardly_lags_behind_what_moves() -> None:
    smooth = OneEuro()
    start = np.zeros((68, 2), np.float32)
    for index in range(45):
        moved = start + np.array([2.0 * index, 0.0], np.float32)
        out = smooth(moved, index / 30, 100.0)
    assert np.abs(moved - out).max() < 2.0


def test_one_euro_begins_anew_with_another_number_of_points() -> None:
    smooth = OneEuro()
    smooth(np.zeros((68, 2), np.float32), 0.0, 100.0)
    five = np.full((5, 2), 7.0, np.float32)
    assert np.array_equal(smooth(five, 0.1, 100.0), five)


def test_who_looks_as_before_may_have_gone_farther() -> None:
    def same(track: Track, face: Face) -> float:
        return 0.9

    def other(track: Track, face: Face) -> float:
        return 0.1

    for alike, expected in ((same, 1), (other, 2)):
        tracker = Tracker()
        see(tracker, 0.0, face(100))
        tracker.advance(0.1)
        (found,) = tracker.update([face(220)], 0.1, alike)
        assert found.track_id == expected


def test_of_two_that_left_together_each_gets_back_its_own_number() -> None:
    looks = {300: 1, 310: 2}
    tracker = Tracker()
    see(tracker, 0.0, face(300), face(305))
    tracker.advance(0.2)
    tracker.update([], 0.2)
    tracker.advance(0.4)

    def alike(track: Track, one: Face) -> float:
        return 0.9 if looks[round(one.box.centre[0])] == track.track_id else 0.0

    found = tracker.update([face(310), face(300)], 0.4, alike)
    assert [each.track_id for each in found] == [2, 1]


def test_whose_place_another_took_does_not_give_it_its_number() -> None:
    tracker = Tracker()
    see(tracker, 0.0, face(100))
    (track,) = tracker.tracks
    track.replaced = True
    assert see(tracker, 0.1, face(100)) == [2]
    # Who was hidden behind it is awaited all the same.
    assert see(tracker, 0.2, face(101, track_id=2), face(160)) == [2, 1]
