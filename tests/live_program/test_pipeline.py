"""The pipeline on the demo actor, with a finder that counts and a classifier that measures."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.faces import make_finder
from app.faces.alignment import upright_square
from app.faces.landmarks import Fit, Landmarker, Limits, make_landmarker
from app.live.pipeline import Pipeline
from app.messages import Box, Face, Frame, FrameResult
from app.sources.actor import ActorSource, actor_truth, paint_actor
from models.runtime.prediction import Prediction

Image = NDArray[np.uint8]
FPS = 30


class FakeClassifier:
    """Says "bright" or "dark" by the mean of the crop."""

    labels: tuple[str, ...] = ("dark", "bright")
    neutral_logs: NDArray[np.float64] | None = None
    unsure_below = 0.0

    def __init__(self, input_size: int = 48, input_field: int = 48) -> None:
        self.input_size = input_size
        self.input_field = input_field
        self.batches: list[int] = []

    def classify(self, crops: Sequence[Image]) -> list[Prediction]:
        self.batches.append(len(crops))
        predictions = []
        for crop in crops:
            assert crop.shape == (self.input_size, self.input_size)
            assert crop.dtype == np.uint8
            bright = float(crop.mean()) / 255
            predictions.append(Prediction(np.array([1 - bright, bright], np.float32), self.labels))
        return predictions


class CountingFinder:
    """The HOG finder, counting its calls."""

    name = "counting"

    def __init__(self) -> None:
        self.calls = 0
        self._finder = make_finder("hog")

    def find(self, image: Image) -> list[Face]:
        self.calls += 1
        return self._finder.find(image)


class CannedFinder:
    """Always finds the faces it was given."""

    name = "canned"

    def __init__(self, *faces: Face) -> None:
        self.faces = faces

    def find(self, image: Image) -> list[Face]:
        return list(self.faces)


@pytest.fixture(scope="module")
def landmarker() -> Landmarker:
    return make_landmarker()


@pytest.fixture(scope="module")
def clip() -> list[Image]:
    with ActorSource(paced=False) as source:
        frames = [source.read() for _ in range(60)]
    return [frame.image for frame in frames if frame is not None]


def framed(image: Image, index: int) -> Frame:
    return Frame(image, index, 1000.0 + index / FPS, index / FPS)


def play(pipeline: Pipeline, images: Sequence[Image], first: int = 0) -> list[FrameResult]:
    return [pipeline.process(framed(image, first + i)) for i, image in enumerate(images)]


def ids(result: FrameResult) -> list[int | None]:
    return [face.face.track_id for face in result.faces]


def blank() -> Image:
    return np.full((480, 640, 3), 110, np.uint8)


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


def disguised(image: Image, landmarks: NDArray[np.float32]) -> Image:
    """Return the picture of somebody else: with other hair and a beard."""
    box = upright_square(landmarks)
    (x, y), side = box.centre, box.width
    shade = np.zeros(image.shape[:2], np.float32)
    for right, down, wide, high, depth in (
        (0.0, 0.3, 0.36, 0.34, 0.8),
        (0.0, 0.1, 0.25, 0.22, 0.0),  # no beard on the cheeks
        (0.0, -0.55, 0.55, 0.36, 0.9),
        (-0.52, 0.0, 0.16, 0.6, 0.9),
        (0.52, 0.0, 0.16, 0.6, 0.9),
    ):
        middle = (round(x + right * side), round(y + down * side))
        axes = (round(wide * side), round(high * side))
        cv2.ellipse(shade, middle, axes, 0, 0, 360, depth, -1)
    soft = cv2.GaussianBlur(shade, (0, 0), 2)[..., None]
    return np.asarray(image * (1 - soft) + soft * (30, 35, 45), np.uint8)


def in_another_place(image: Image, index: int) -> Image:
    """Return a picture of which only the face and what is near it are left."""
    scene = np.asarray(255 - image, np.uint8)
    top, bottom, left, right = _around(actor_truth(index).landmarks)
    scene[top:bottom, left:right] = image[top:bottom, left:right]
    return scene


def test_another_shot_shows_another_person(landmarker: Landmarker, clip: list[Image]) -> None:
    """Somebody at the same place after a cut must not get the number of the one before."""
    pipeline = Pipeline(make_finder("hog"), landmarker, FakeClassifier())
    assert ids(play(pipeline, clip[:5])[-1]) == [1]
    other = in_another_place(disguised(clip[5], actor_truth(5).landmarks), 5)
    assert [ids(result) for result in play(pipeline, [other] * 4, first=5)] == [[2]] * 4
    # The film cuts back, and the first one is known again.
    assert [ids(result) for result in play(pipeline, clip[9:13], first=9)] == [[1]] * 4


def test_who_was_away_for_seconds_keeps_id_and_neutral_face(
    landmarker: Landmarker, clip: list[Image]
) -> None:
    classifier = FakeClassifier()
    classifier.neutral_logs = np.log([0.5, 0.5])
    pipeline = Pipeline(make_finder("hog"), landmarker, classifier)
    times = iter(np.arange(0.0, 99.0, 0.1))

    def show(image: Image) -> list[int | None]:
        return ids(pipeline.process(Frame(image, 0, 0.0, next(times))))

    show(clip[0])
    pipeline.calibrate(1)
    while pipeline._memory.baselines.offset(1) is None:
        assert show(clip[0]) == [1]
    for _ in range(20):
        assert show(blank()) == []
    assert show(np.roll(clip[0], 120, axis=1)) == [1]
    assert pipeline._memory.baselines.offset(1) is not None


@pytest.mark.parametrize("media", [False, True], ids=["camera", "actor"])
def test_a_pause_of_a_live_source_keeps_ids_and_neutral_faces(
    landmarker: Landmarker, clip: list[Image], media: bool
) -> None:
    classifier = FakeClassifier()
    classifier.neutral_logs = np.log([0.5, 0.5])
    pipeline = Pipeline(make_finder("hog"), landmarker, classifier)

    def show(index: int, time: float) -> FrameResult:
        film = time if media else None
        return pipeline.process(Frame(clip[index], index, time, film, live=True))

    for index in range(3):
        assert ids(show(index, index / FPS)) == [1]
    pipeline.calibrate(1)
    stands = [show(3, 60.0), show(4, 60.0 + 1 / FPS), show(5, 120.0)]
    assert [ids(result) for result in stands] == [[1]] * 3
    for result in stands:
        calibration = result.faces[0].calibration
        assert calibration is not None
        assert not calibration.given_up


def _around(landmarks: NDArray[np.float32]) -> tuple[int, int, int, int]:
    box = upright_square(landmarks)
    grown = 0.3 * box.width
    return (
        round(box.y1 - grown),
        round(box.y2 + grown),
        round(box.x1 - grown),
        round(box.x2 + grown),
    )


def crossing(index: int, count: int) -> tuple[Image, list[Box]]:
    """Return two small actors that pass before one another, and where they are; front first."""
    image = blank()
    part = index / (count - 1)
    boxes = []
    for phase, x, y, size in ((30, 500 - 360 * part, 250, 0.5), (400, 140 + 360 * part, 215, 0.5)):
        paint_actor(image, phase, centre=(x, y), size=size)
        boxes.append(Box(x - 45, y - 25, x + 45, y + 65))
    return image, boxes[::-1]


def test_ids_survive_a_crossing(landmarker: Landmarker) -> None:
    classifier = FakeClassifier()
    pipeline = Pipeline(make_finder("hog"), landmarker, classifier)
    owners: list[list[set[int | None]]] = [[set(), set()], [set(), set()]]
    count = 46
    for index in range(count):
        image, truth = crossing(index, count)
        result = pipeline.process(framed(image, index))
        numbers = [face.face.track_id or 0 for face in result.faces]
        assert numbers == sorted(numbers), "it does not change with who moves more"
        for face in result.faces:
            near = [face.face.box.overlap(box) for box in truth]
            if max(near) > 0.45 and min(near) == 0:
                owners[index > count // 2][int(np.argmax(near))].add(face.face.track_id)
    assert owners[0] == owners[1]
    assert sorted(map(len, owners[0])) == [1, 1]
    assert owners[0][0] != owners[0][1]
    assert set(classifier.batches) <= {1, 2}
    assert classifier.batches.count(2) > count / 2


def test_half_a_second_of_absence_keeps_the_id(landmarker: Landmarker, clip: list[Image]) -> None:
    pipeline = Pipeline(make_finder("hog"), landmarker, FakeClassifier())
    play(pipeline, clip[:5])
    gone = play(pipeline, [blank()] * 15, first=5)
    back = play(pipeline, clip[20:25], first=20)
    assert all(result.faces == () for result in gone)
    assert ids(back[-1]) == [1]


def test_a_lost_face_is_looked_for_at_once(landmarker: Landmarker, clip: list[Image]) -> None:
    finder = CountingFinder()
    pipeline = Pipeline(finder, landmarker, FakeClassifier())
    play(pipeline, clip[:2])
    assert finder.calls == 1
    shifted = np.roll(clip[2], 200, axis=1)
    (result,) = play(pipeline, [shifted], first=2)
    assert finder.calls == 2
    (face,) = result.faces
    assert face.face.box.centre[0] > 450


def test_a_face_that_suddenly_looks_otherwise_is_followed_again_once_found(
    landmarker: Landmarker, clip: list[Image]
) -> None:
    """After a cut to another person at the same place, the old likeness must not count."""
    pipeline = Pipeline(make_finder("haar"), landmarker, FakeClassifier())
    play(pipeline, clip[:5])
    (track,) = pipeline._tracker.tracks
    assert track.look is not None
    track.look = -track.look
    seen = [len(result.faces) for result in play(pipeline, clip[5:25], first=5)]
    assert sum(seen) >= len(seen) - 1
    assert all(seen[1:])


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


def test_images_far_apart_in_time_stand_each_on_its_own(
    landmarker: Landmarker, clip: list[Image]
) -> None:
    finder = CountingFinder()
    pipeline = Pipeline(finder, landmarker, FakeClassifier())
    results = [
        pipeline.process(Frame(image, i, 0.0, float(i)))
        for i, image in enumerate([clip[0], blank(), clip[1], clip[2]])
    ]
    assert [ids(result) for result in results] == [[1], [], [2], [3]]
    assert finder.calls == 4


def test_reset_begins_new_ids(landmarker: Landmarker, clip: list[Image]) -> None:
    pipeline = Pipeline(make_finder("hog"), landmarker, FakeClassifier())
    play(pipeline, clip[:2])
    pipeline.reset()
    assert ids(play(pipeline, clip[:1])[0]) == [2]


def test_another_model_or_finder_keeps_the_tracks(
    landmarker: Landmarker, clip: list[Image]
) -> None:
    pipeline = Pipeline(make_finder("hog"), landmarker, FakeClassifier())
    play(pipeline, clip[:2])
    classifier = FakeClassifier(64)
    classifier.labels = ("low", "high")
    finder = CountingFinder()
    pipeline.set_classifier(classifier)
    pipeline.set_finder(finder)
    (result,) = play(pipeline, clip[2:3], first=2)
    assert ids(result) == [1]
    assert result.faces[0].label in classifier.labels
    assert finder.calls == 1


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
