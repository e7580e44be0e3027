"""The follower's judgement, with landmarks that are told to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from app.faces.alignment import upright_square
from app.faces.base import square
from app.faces.landmarks import Fit, Limits
from app.live.follower import Follower
from app.live.tracker import Track
from app.messages import Box, Face
from app.sources.actor import actor_truth

Image = NDArray[np.uint8]
MODEL = actor_truth(0).landmarks
MODEL_BOX = upright_square(MODEL)


class ToldLandmarker:
    """Fits the actor's landmarks into the box that a function makes of the one given."""

    name = "told"
    limits = Limits(new=0.7, followed=0.5, doubtful=0.8)

    def __init__(self, place: Callable[[Box], Box], confidence: float = 1.0) -> None:
        self.place = place
        self.confidence = confidence
        self.sure: list[list[bool]] = []

    def fit_all(
        self, image: Image, boxes: Sequence[Box], *, sure: Sequence[bool] = ()
    ) -> list[Fit]:
        self.sure.append(list(sure))
        return [Fit(self._fit(box), self.confidence) for box in boxes]

    def _fit(self, box: Box) -> NDArray[np.float32]:
        target = self.place(box)
        scale = target.width / MODEL_BOX.width
        moved = np.subtract(target.centre, np.multiply(MODEL_BOX.centre, scale))
        return (MODEL * scale + moved).astype(np.float32)


def as_given(box: Box) -> Box:
    return box


def track(track_id: int, x: float, *, missed: int = 0) -> Track:
    return Track(track_id, 0.0, x, 240.0, 120.0, 1.0, missed=missed)


def texture(seed: int) -> Image:
    picture: Image = np.random.default_rng(seed).integers(0, 256, (480, 640), dtype=np.uint8)
    return picture


def test_a_face_is_followed_to_where_its_landmarks_lead() -> None:
    to_right = ToldLandmarker(lambda _: square(325.0, 240.0, 120.0))
    (face,) = Follower(to_right).follow(texture(0), [track(4, 300.0)], 0.1)
    assert face.track_id == 4
    np.testing.assert_allclose(face.box.centre, (325, 240), atol=1.5)


def test_a_face_that_looks_otherwise_than_a_moment_ago_has_gone() -> None:
    follower = Follower(ToldLandmarker(as_given))
    known = track(1, 300.0)
    assert follower.follow(texture(0), [known], 0.1)
    assert follower.follow(texture(0), [known], 0.2)
    assert not follower.follow(texture(1), [known], 0.3)
    assert follower.follow(texture(0), [known], 0.4)


def test_of_two_that_end_on_one_face_the_one_that_jumped_is_hidden() -> None:
    to_one = ToldLandmarker(lambda _: square(300.0, 240.0, 120.0))
    for near, far in ((1, 2), (2, 1)):
        pair = [track(near, 305.0), track(far, 345.0)]
        for tracks in (pair, pair[::-1]):
            (face,) = Follower(to_one).follow(texture(0), tracks, 0.1)
            assert face.track_id == near


def test_a_hidden_track_is_not_fitted_to_the_face_before_it() -> None:
    boxes: list[Box] = []

    def noting(box: Box) -> Box:
        boxes.append(box)
        return box

    absent = track(2, 320.0)
    absent.present = False
    faces = Follower(ToldLandmarker(noting)).follow(texture(0), [absent, track(1, 300.0)], 0.1)
    assert [face.track_id for face in faces] == [1]
    assert all(box.centre[0] < 310 for box in boxes)


def test_leaps_and_sudden_growth_are_not_followed() -> None:
    leaping = ToldLandmarker(lambda _: square(390.0, 240.0, 120.0))
    assert not Follower(leaping).follow(texture(0), [track(1, 300.0)], 0.1)
    growing = ToldLandmarker(lambda _: square(300.0, 240.0, 200.0))
    assert not Follower(growing).follow(texture(0), [track(1, 300.0)], 0.1)


def test_a_face_leaving_the_picture_is_let_go() -> None:
    follower = Follower(ToldLandmarker(as_given))
    assert follower.follow(texture(0), [track(1, 30.0)], 0.1)
    assert not follower.follow(texture(0), [track(2, -20.0)], 0.1)


def test_what_the_finder_keeps_missing_must_convince_by_itself() -> None:
    follower = Follower(ToldLandmarker(as_given, confidence=0.65))
    assert follower.follow(texture(0), [track(1, 300.0, missed=2)], 0.1)
    assert not follower.follow(texture(0), [track(2, 300.0, missed=3)], 0.1)


def test_a_new_face_needs_landmarks_that_agree() -> None:
    found = Face(square(300.0, 240.0, 120.0), 5.0)
    passed = Follower(ToldLandmarker(as_given, confidence=0.9)).inspect(texture(0), found)
    assert passed is not None
    assert passed.landmarks is not None
    assert len(passed.landmarks) == 68
    assert passed.score == 5.0
    assert Follower(ToldLandmarker(as_given, confidence=0.6)).inspect(texture(0), found) is None


def test_a_turned_face_keeps_the_landmarks_of_its_finder() -> None:
    five = np.zeros((5, 2), np.float32)
    found = Face(square(300.0, 240.0, 120.0), 0.9, five)
    turned = Follower(ToldLandmarker(as_given, confidence=0.6)).inspect(texture(0), found)
    assert turned is found
    assert Follower(ToldLandmarker(as_given, confidence=0.4)).inspect(texture(0), found) is None


def test_a_face_that_convinced_is_judged_on_every_third_frame_only() -> None:
    landmarker = ToldLandmarker(as_given)
    follower = Follower(landmarker)
    one = track(1, 300.0)
    for frame in range(9):
        assert follower.follow(texture(0), [one], frame / 30)
    assert landmarker.sure == [[False], [True], [True]] * 3


def test_all_faces_of_a_frame_are_fitted_in_one_go() -> None:
    landmarker = ToldLandmarker(as_given)
    tracks = [track(1, 120.0), track(2, 320.0), track(3, 520.0)]
    assert len(Follower(landmarker).follow(texture(0), tracks, 0.1)) == 3
    assert [len(sure) for sure in landmarker.sure] == [3]


def test_a_face_that_at_once_has_become_another_comes_without_a_number() -> None:
    for confidence, expected in ((0.9, [None]), (0.6, [])):
        follower = Follower(ToldLandmarker(as_given))
        known = track(1, 300.0)
        assert follower.follow(texture(0), [known], 0.05)
        follower = Follower(ToldLandmarker(as_given, confidence))
        known.seen = 0.1
        found = follower.follow(texture(1), [known], 0.13)
        assert [face.track_id for face in found] == expected
        assert known.replaced == bool(expected)
