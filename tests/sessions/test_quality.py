"""Quality falls with what spoils a face, and the advice names it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.faces.alignment import align, upright_square
from app.faces.cover import CoverMeter
from app.faces.quality import QualityMeter, head_turn
from app.messages import Face, Quality
from app.sources.actor import ActorSource, actor_truth

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]
MEASURES = ("size", "sharpness", "light", "turn", "cut_off", "occluded")


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Hold a picture of the actor and its face."""

    gray: Picture
    face: Face


@pytest.fixture(scope="module")
def scene() -> Scene:
    with ActorSource(paced=False) as source:
        frame = source.read()
    assert frame is not None
    gray = np.asarray(cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY), np.uint8)
    points = actor_truth(0).landmarks
    return Scene(gray, Face(upright_square(points), 1.0, points, 1))


@pytest.fixture(scope="module")
def meter() -> QualityMeter:
    return QualityMeter()


def measured(meter: QualityMeter, scene: Scene, size: int = 48, field: int = 48) -> Quality:
    alignment = align(scene.gray, scene.face, size, field=field)
    (quality,) = meter.measure(scene.gray, [scene.face], [alignment], field=field)
    return quality


def changed(scene: Scene, change: Callable[[Floats], NDArray[Any]]) -> Scene:
    """Return the scene with its face changed; change: of its square."""
    gray, box = scene.gray.copy(), scene.face.box
    rows, columns = slice(round(box.y1), round(box.y2)), slice(round(box.x1), round(box.x2))
    gray[rows, columns] = np.clip(change(gray[rows, columns].astype(np.float32)), 0, 255)
    return replace(scene, gray=gray)


def test_a_plain_face_is_good_in_every_way(meter: QualityMeter, scene: Scene) -> None:
    quality = measured(meter, scene)
    for name in MEASURES:
        assert getattr(quality, name) > 0.7, name
    assert quality.overall == min(getattr(quality, name) for name in MEASURES)
    assert quality.advice == ""


@pytest.mark.parametrize(("size", "field"), [(44, 44), (64, 48), (48, 40)])
def test_other_crops_make_no_great_difference(
    meter: QualityMeter, scene: Scene, size: int, field: int
) -> None:
    plain, other = measured(meter, scene), measured(meter, scene, size, field)
    for name in MEASURES:
        assert getattr(other, name) == pytest.approx(getattr(plain, name), abs=0.15), name


def test_a_blurred_face(meter: QualityMeter, scene: Scene) -> None:
    pixel = scene.face.box.width / 48
    blurs = []
    for sigma in (0.8 * pixel, 1.6 * pixel, 3.2 * pixel):
        blurred = cv2.GaussianBlur(scene.gray, (0, 0), sigma)
        blurs.append(measured(meter, replace(scene, gray=np.asarray(blurred, np.uint8))))
    grades = [quality.sharpness for quality in blurs]
    assert grades == sorted(grades, reverse=True)
    assert grades[-1] < 0.25
    assert blurs[-1].advice == "Hold still, or clean and focus the camera."


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (lambda face: face * 0.06, "More light from the front."),
        (lambda face: face * 5, "Less light on your face."),
        (
            lambda face: face * np.where(np.arange(face.shape[1]) < face.shape[1] / 2, 0.1, 1),
            "Light both sides of your face.",
        ),
    ],
    ids=["dark", "glaring", "one side"],
)
def test_poor_light(
    meter: QualityMeter, scene: Scene, change: Callable[[Floats], Floats], advice: str
) -> None:
    quality = measured(meter, changed(scene, change))
    assert quality.light < 0.5
    assert quality.advice == advice, "whatever else is poor because of it"


def test_a_small_face(meter: QualityMeter, scene: Scene) -> None:
    far = 20 / scene.face.box.width
    gray = cv2.resize(scene.gray, None, fx=far, fy=far, interpolation=cv2.INTER_AREA)
    points = scene.face.landmarks
    assert points is not None
    small = (points * np.float32(far)).astype(np.float32)
    face = Face(upright_square(small), 1.0, small, 1)
    quality = measured(meter, Scene(np.asarray(gray, np.uint8), face))
    assert quality.size == pytest.approx((20 - 12) / 28, abs=0.08)
    assert quality.overall <= quality.size


def test_a_face_that_leaves_the_picture(meter: QualityMeter, scene: Scene) -> None:
    box, points = scene.face.box, scene.face.landmarks
    assert points is not None
    half = round(box.x1 + 0.5 * box.width)
    shifted = points - np.array([half, 0], np.float32)
    face = Face(upright_square(shifted), 1.0, shifted, 1)
    cut = Scene(np.ascontiguousarray(scene.gray[:, half:]), face)
    quality = measured(meter, cut)
    assert quality.cut_off == 0
    assert quality.overall == 0


def test_a_covered_mouth_is_seen_and_a_free_one_is_not_accused(
    meter: QualityMeter, scene: Scene
) -> None:
    def masked(face: Floats) -> Floats:
        height = face.shape[0]
        face = face.copy()
        face[round(0.52 * height) :] = (
            205 + 12 * np.sin(np.arange(height - round(0.52 * height)))[:, None]
        )
        return face

    assert measured(meter, scene).occluded > 0.9
    quality = measured(meter, changed(scene, masked))
    assert quality.occluded < 0.4
    assert quality.advice == "Uncover your face."


def test_what_covers_a_track_is_looked_at_ten_times_a_second(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter, looked = QualityMeter(), list[int]()

    def measure(looks: Sequence[NDArray[np.uint8]]) -> list[float]:
        looked.append(len(looks))
        return [0.1 * len(looked)] * len(looks)

    monkeypatch.setattr(meter._cover, "measure", measure)
    nameless = replace(scene.face, track_id=None)
    alignment = align(scene.gray, scene.face, 48)

    def free(time: float | None, *faces: Face) -> list[float]:
        found = meter.measure(scene.gray, faces, [alignment] * len(faces), time=time)
        return [round(quality.occluded, 3) for quality in found]

    assert free(1.0, scene.face) == [0.1]
    assert free(1.03, scene.face) == [0.1]
    assert free(1.07, scene.face, nameless) == [0.1, 0.3]  # without a track always anew
    assert free(1.1, scene.face) == [0.4]
    assert free(0.5, scene.face) == [0.5]  # another film
    assert free(None, scene.face) == [0.6]
    assert looked == [1, 0, 1, 1, 1, 1]


def test_nothing_to_measure_measures_nothing() -> None:
    assert CoverMeter().measure([]) == []
    assert QualityMeter().measure(np.zeros((9, 9), np.uint8), [], []) == []


def test_without_68_landmarks_the_turn_is_not_measured(meter: QualityMeter, scene: Scene) -> None:
    bare = replace(scene, face=Face(scene.face.box, 1.0, None, 1))
    quality = measured(meter, bare)
    assert math.isnan(quality.turn)
    assert 0 <= quality.overall <= 1


def head(right: float, down: float) -> NDArray[np.float32]:
    """Return 68 points of an average head turned by degrees, seen from far away."""
    from app.faces.quality import _HEAD, _RIGID

    yaw, pitch = math.radians(right), math.radians(down)
    about_y = np.array(
        [[math.cos(yaw), 0, -math.sin(yaw)], [0, 1, 0], [math.sin(yaw), 0, math.cos(yaw)]]
    )
    about_x = np.array(
        [[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]]
    )
    points = np.zeros((68, 2), np.float32)
    points[_RIGID] = ((_HEAD @ about_x.T) @ about_y.T)[:, :2] * 0.8 + (200, 150)
    return points


@pytest.mark.parametrize("right", [-40, -15, 0, 25, 50])
def test_a_turned_head_to_the_side(right: float) -> None:
    assert head_turn(head(right, 0)) == pytest.approx((right, 0), abs=0.5)


@pytest.mark.parametrize("down", [-30, -10, 20, 40])
def test_a_bowed_head(down: float) -> None:
    assert head_turn(head(0, down)) == pytest.approx((0, down), abs=0.5)


def test_a_tilted_head_is_not_turned() -> None:
    points = head(20, 0) - (200, 150)
    lean = math.radians(30)
    rotation = [[math.cos(lean), -math.sin(lean)], [math.sin(lean), math.cos(lean)]]
    tilted = (points @ np.array(rotation).T).astype(np.float32)
    right, down = head_turn(tilted)
    away = math.degrees(math.atan(math.hypot(*np.tan(np.radians([right, down])))))
    assert away == pytest.approx(20, abs=0.5)


def test_a_turned_face_is_told_to_look_into_the_camera(meter: QualityMeter, scene: Scene) -> None:
    points = head(50, 0)
    quality = measured(meter, replace(scene, face=replace(scene.face, landmarks=points)))
    assert quality.turn == pytest.approx((60 - 50) / 45, abs=0.02)
