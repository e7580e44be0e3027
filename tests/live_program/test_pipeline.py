"""The pipeline on the demo actor, with a finder that counts and a classifier that measures."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.faces import make_finder
from app.faces.alignment import upright_square
from app.faces.landmarks import Fit, Landmarker, Limits
from app.live.pipeline import Pipeline
from app.messages import Box, Face
from app.sources.actor import actor_truth
from models.runtime.prediction import Prediction
from tests.live_program.film import (
    CountingFinder,
    FakeClassifier,
    Image,
    blank,
    framed,
    ids,
    play,
)


class CannedFinder:
    """Always finds the faces it was given."""

    name = "canned"

    def __init__(self, *faces: Face) -> None:
        self.faces = faces

    def find(self, image: Image) -> list[Face]:
        return list(self.faces)


def test_the_actor_is_labelled_on_every_frame_and_followed_between_few_searches(
    landmarker: Landmarker, clip: list[Image]
) -> None:
    finder = CountingFinder()
    results = play(Pipeline(finder, landmarker, FakeClassifier()), clip)
    assert [ids(result) for result in results] == [[1]] * len(clip)
    assert finder.calls == 3  # at 0, 0.8 and 1.6 seconds
    for index, result in enumerate(results):
        (face,) = result.faces
        truth = actor_truth(index).landmarks
        assert face.face.box.overlap(upright_square(truth)) > 0.8
        assert face.face.landmarks is not None
        apart = np.linalg.norm(truth[45] - truth[36])
        off = np.linalg.norm(face.face.landmarks[17:] - truth[17:], axis=1)
        assert off.mean() < 0.07 * apart


def test_the_crop_belongs_to_the_frame(landmarker: Landmarker, clip: list[Image]) -> None:
    classifier = FakeClassifier(64)
    (result,) = play(Pipeline(make_finder("hog"), landmarker, classifier), clip[:1])
    (face,) = result.faces
    assert face.crop.shape == (64, 64)
    truth = upright_square(actor_truth(0).landmarks)
    centre = face.crop_to_frame @ (31.5, 31.5, 1)
    assert np.linalg.norm(centre - truth.centre) < 0.06 * truth.width
    assert face.label == face.prediction.label
    assert face.confidence == pytest.approx(float(face.probabilities.max()))


def test_a_model_of_a_smaller_field_gets_the_middle_of_the_face(
    landmarker: Landmarker, clip: list[Image]
) -> None:
    sides = []
    for classifier in (FakeClassifier(48), FakeClassifier(44, 44), FakeClassifier(64, 44)):
        (result,) = play(Pipeline(make_finder("hog"), landmarker, classifier), clip[:1])
        (face,) = result.faces
        corners = face.crop_to_frame @ np.array([[-0.5, face.crop.shape[1] - 0.5], [0, 0], [1, 1]])
        sides.append(float(np.linalg.norm(corners[:, 1] - corners[:, 0])))
    whole, middle, finer = sides
    assert middle == pytest.approx(whole * 44 / 48)
    assert finer == pytest.approx(middle)


def test_timings_add_up(landmarker: Landmarker, clip: list[Image]) -> None:
    results = play(Pipeline(make_finder("hog"), landmarker, FakeClassifier()), clip[:2])
    first, second = (result.timings for result in results)
    assert first.find > 0
    assert second.find == 0
    for times in (first, second):
        assert min(times.landmarks, times.align, times.classify) > 0
        parts = times.find + times.landmarks + times.align + times.classify
        assert parts <= times.total


def test_no_face_is_a_normal_state(landmarker: Landmarker) -> None:
    classifier = FakeClassifier()
    finder = CountingFinder()
    moving = [cv2.circle(blank(), (60 + 40 * index, 240), 30, 0, -1) for index in range(10)]
    results = play(
        Pipeline(finder, landmarker, classifier), [np.asarray(m, np.uint8) for m in moving]
    )
    assert all(result.faces == () for result in results)
    assert classifier.batches == []
    assert finder.calls == 4  # every third frame


def test_where_nothing_moves_a_face_is_sought_once_a_second(landmarker: Landmarker) -> None:
    finder = CountingFinder()
    play(Pipeline(finder, landmarker, FakeClassifier()), [blank()] * 65)
    assert finder.calls == 3


def test_what_the_landmarks_deny_is_no_face(landmarker: Landmarker) -> None:
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 256, (480, 640, 3), dtype=np.uint8)
    alarm = Face(Box(200, 150, 380, 330), 9.0)
    pipeline = Pipeline(CannedFinder(alarm), landmarker, FakeClassifier())
    assert all(result.faces == () for result in play(pipeline, [noise] * 5))


class DoubtfulLandmarker:
    """Fits nothing well: a face may be there, turned away."""

    name = "doubtful"
    limits = Limits(new=0.7, followed=0.5, doubtful=0.8)

    def fit_all(
        self, image: Image, boxes: Sequence[Box], *, sure: Sequence[bool] = ()
    ) -> list[Fit]:
        return [Fit(np.zeros((68, 2), np.float32), 0.6) for _ in boxes]


def five_points() -> NDArray[np.float32]:
    places = [[250, 200], [330, 200], [290, 240], [260, 280], [320, 280]]
    return np.array(places, np.float32)


def test_a_finder_with_landmarks_of_its_own_is_not_believed_of_nothing(
    landmarker: Landmarker,
) -> None:
    lettering = Face(Box(200, 150, 380, 330), 0.9, five_points())
    pipeline = Pipeline(CannedFinder(lettering), landmarker, FakeClassifier())
    assert all(result.faces == () for result in play(pipeline, [blank()] * 5))


def test_a_finder_with_landmarks_of_its_own_is_believed_on_every_frame() -> None:
    points = five_points()
    turned = Face(Box(200, 150, 380, 330), 0.9, points)
    pipeline = Pipeline(CannedFinder(turned), DoubtfulLandmarker(), FakeClassifier())
    results = play(pipeline, [blank()] * 5)
    assert [ids(result) for result in results] == [[1]] * 5
    landmarks = results[-1].faces[0].face.landmarks
    assert landmarks is not None
    np.testing.assert_allclose(landmarks, points, atol=1e-3)


def test_a_model_says_itself_below_what_it_is_unsure(
    landmarker: Landmarker, clip: list[Image]
) -> None:
    classifier = FakeClassifier()
    classifier.unsure_below = 1.0
    pipeline = Pipeline(make_finder("hog"), landmarker, classifier)
    assert play(pipeline, clip[:1])[0].faces[0].unsure
    pipeline.set_classifier(FakeClassifier())
    assert not play(pipeline, clip[1:2], first=1)[0].faces[0].unsure


def test_a_failing_classifier_costs_its_frame_alone(
    landmarker: Landmarker, clip: list[Image]
) -> None:
    class Failing(FakeClassifier):
        def classify(self, crops: Sequence[Image]) -> list[Prediction]:
            if not self.batches:
                self.batches.append(0)
                raise RuntimeError("no memory")
            return super().classify(crops)

    pipeline = Pipeline(make_finder("hog"), landmarker, Failing())
    with pytest.raises(RuntimeError, match="no memory"):
        pipeline.process(framed(clip[0], 0))
    assert ids(pipeline.process(framed(clip[1], 1))) == [1]
