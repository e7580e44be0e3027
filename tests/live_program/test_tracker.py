from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from app.faces.base import square
from app.live.tracker import OneEuro, Tracker
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


def look(number: int) -> NDArray[np.float32]:
    """Return a person's look, one of a few that are not alike at all."""
    return np.asarray(np.eye(4)[number], np.float32)


def shown(tracker: Tracker, time: float, *faces: tuple[Face, int]) -> list[int | None]:
    """Let the tracker see faces with the number of their look each; return their IDs."""
    tracker.advance(time)
    looks = {id(each): look(number) for each, number in faces}
    results = tracker.update([each for each, _ in faces], time, lambda one: looks[id(one)])
    for track in tracker.tracks:
        for result, (_, number) in zip(results, faces, strict=True):
            if track.track_id == result.track_id:
                track.usual.take(look(number), time)
    return [result.track_id for result in results]


def pass_time(tracker: Tracker, start: float, end: float) -> None:
    for index in range(1, round((end - start) * 10)):
        see(tracker, start + index / 10)


def test_who_looks_as_usual_may_have_gone_farther() -> None:
    for number, expected in ((1, 1), (2, 2)):
        tracker = Tracker()
        shown(tracker, 0.0, (face(100), 1))
        assert shown(tracker, 0.1, (face(220), number)) == [expected]


def test_of_two_that_left_together_each_gets_back_its_own_id() -> None:
    tracker = Tracker()
    assert shown(tracker, 0.0, (face(300), 1), (face(305), 2)) == [1, 2]
    see(tracker, 0.2)
    assert shown(tracker, 0.4, (face(310), 2), (face(300), 1)) == [2, 1]


def test_another_in_the_place_of_an_absent_one_is_another() -> None:
    tracker = Tracker()
    shown(tracker, 0.0, (face(100), 1))
    see(tracker, 0.1)
    assert shown(tracker, 0.2, (face(100), 2)) == [2]
    assert shown(tracker, 0.3, (face(100), 2), (face(200), 1)) == [2, 1]


def test_who_comes_back_within_seconds_gets_the_id_back_wherever() -> None:
    tracker = Tracker()
    shown(tracker, 0.0, (face(100), 1))
    pass_time(tracker, 0.0, 5.0)
    assert tracker.tracks == ()
    assert tracker.known_ids == {1}
    assert shown(tracker, 5.0, (face(500), 2), (face(400, 300, 60), 1)) == [2, 1]
    assert see(tracker, 5.1, face(500, track_id=2), face(403, 300, 60)) == [2, 1]


def test_who_comes_back_much_later_is_a_new_face() -> None:
    tracker = Tracker()
    shown(tracker, 0.0, (face(100), 1))
    pass_time(tracker, 0.0, 12.0)
    assert tracker.known_ids == set()
    assert shown(tracker, 12.0, (face(100), 1)) == [2]


def test_after_a_cut_only_the_look_tells_who_somebody_is() -> None:
    tracker = Tracker()
    shown(tracker, 0.0, (face(100), 1), (face(400), 2))
    tracker.cut()
    assert tracker.tracks == ()
    assert shown(tracker, 0.1, (face(100), 3), (face(250), 2)) == [3, 2]
    tracker.cut()
    assert shown(tracker, 0.2, (face(100), 1), (face(400), 3)) == [1, 3]


def test_two_who_look_alike_are_still_two() -> None:
    tracker = Tracker()
    shown(tracker, 0.0, (face(100), 1))
    tracker.cut()
    assert shown(tracker, 0.1, (face(100), 1), (face(400), 1)) == [1, 2]


def test_another_film_has_other_people_however_they_look() -> None:
    for time in (-1.0, 2.0):
        tracker = Tracker()
        shown(tracker, 0.0, (face(100), 1))
        assert shown(tracker, time, (face(100), 1)) == [2]
    tracker.reset()
    assert shown(tracker, 2.1, (face(100), 1)) == [3]


def test_whose_place_another_took_does_not_give_it_its_number() -> None:
    tracker = Tracker()
    see(tracker, 0.0, face(100))
    (track,) = tracker.tracks
    track.replaced = True
    assert see(tracker, 0.1, face(100)) == [2]
    # Who was hidden behind it is awaited all the same.
    assert see(tracker, 0.2, face(101, track_id=2), face(160)) == [2, 1]


@pytest.mark.parametrize("pause", [1.0, 600.0])
def test_a_pause_of_a_live_source_makes_nobody_new(pause: float) -> None:
    tracker = Tracker()
    shown(tracker, 0.0, (face(100), 1), (face(400), 2))
    tracker.advance(pause, live=True)
    assert tracker.tracks == (), "they are known by their look, for they may have moved"
    assert tracker.known_ids == {1, 2}
    assert shown(tracker, pause, (face(100), 3), (face(250), 2)) == [3, 2]
    pass_time(tracker, pause, pause + 5.0)
    assert shown(tracker, pause + 5.0, (face(300), 1)) == [1]


def test_a_live_source_whose_time_runs_backward_is_another() -> None:
    tracker = Tracker()
    shown(tracker, 10.0, (face(100), 1))
    tracker.advance(2.0, live=True)
    assert tracker.known_ids == set()
