"""Who is who in the pipeline: over cuts, absences, crossings and pauses."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.faces import make_finder
from app.faces.alignment import upright_square
from app.faces.landmarks import Landmarker
from app.live.pipeline import Pipeline
from app.messages import Box, Frame, FrameResult
from app.sources.actor import actor_truth, paint_actor
from tests.live_program.film import (
    FPS,
    CountingFinder,
    FakeClassifier,
    Image,
    blank,
    framed,
    ids,
    play,
)


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
