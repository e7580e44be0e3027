"""What a face looks like, on the demo actor and on made-up pictures."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.faces.alignment import upright_square
from app.faces.looks import UsualLook, likeness, look_of
from app.messages import Face
from app.sources.actor import ActorSource, actor_truth

KNOWN = 0.58


@pytest.fixture(scope="module")
def clip() -> list[NDArray[np.uint8]]:
    with ActorSource(paced=False) as source:
        frames = [source.read() for _ in range(91)]
    return [cv2.cvtColor(f.image, cv2.COLOR_BGR2GRAY).astype(np.uint8) for f in frames if f]


def face(index: int, scale: float = 1.0, turn: float = 0.0) -> Face:
    points = actor_truth(index).landmarks * scale
    if turn:
        matrix = _turn(turn)
        points = points @ matrix[:, :2].T + matrix[:, 2]
    points = points.astype(np.float32)
    return Face(upright_square(points), 1.0, points)


def _turn(degrees: float) -> NDArray[np.float64]:
    return np.asarray(cv2.getRotationMatrix2D((320, 240), degrees, 1.0), np.float64)


def test_a_look_has_no_mean_and_length_one(clip: list[NDArray[np.uint8]]) -> None:
    look = look_of(clip[0], face(0))
    assert look.shape == (192,)
    assert look.dtype == np.float32
    assert float(look.mean()) == pytest.approx(0, abs=1e-6)
    assert likeness(look, look) == pytest.approx(1)


def test_a_face_of_another_moment_size_turn_and_light_is_alike(
    clip: list[NDArray[np.uint8]],
) -> None:
    look = look_of(clip[0], face(0))
    half = np.asarray(cv2.resize(clip[30], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    turned = np.asarray(cv2.warpAffine(clip[60], _turn(25), (640, 480)), np.uint8)
    dark = np.asarray(clip[90] * 0.35 + 10, np.uint8)
    for other in (
        look_of(half.astype(np.uint8), face(30, 0.5)),
        look_of(turned, face(60, turn=25)),
        look_of(dark, face(90)),
    ):
        assert likeness(look, other) > 0.8


def test_no_other_thing_is_alike(clip: list[NDArray[np.uint8]]) -> None:
    look = look_of(clip[0], face(0))
    rng = np.random.default_rng(2)
    coarse = rng.integers(0, 256, (24, 32), dtype=np.uint8)
    cloud = np.asarray(cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC), np.uint8)
    upside_down = np.ascontiguousarray(clip[0][::-1])
    assert likeness(look, look_of(cloud, face(0))) < KNOWN
    assert likeness(look, look_of(upside_down, face(0))) < KNOWN


def test_where_nothing_is_to_be_seen_the_likeness_is_none_or_nothing() -> None:
    blank = np.full((480, 640), 90, np.uint8)
    assert not look_of(blank, face(0)).any()
    assert UsualLook().likeness(look_of(blank, face(0))) is None


def test_the_usual_look_follows_what_is_seen() -> None:
    one, other = np.eye(2, dtype=np.float32)
    usual = UsualLook()
    assert not UsualLook().known
    assert usual.age(3.0) == math.inf
    for index in range(10):
        usual.take(one, 0.2 * index)
    assert usual.known
    assert usual.age(2.0) == pytest.approx(0.2)
    assert usual.likeness(one) == pytest.approx(1)
    usual.take(other, 2.0)  # one glance at something else changes little
    once = usual.likeness(one)
    assert once is not None
    assert once > 0.9
    for index in range(30):
        usual.take(other, 2.2 + 0.2 * index)
    later = usual.likeness(one)
    assert later is not None
    assert later < 0.2
