"""Words and numbers that change five times a second, the same wherever they are shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from app.gui.steady import STEADY_SECONDS, Steady
from app.gui.window import MainWindow
from app.messages import FaceResult, SecondWord
from models.runtime.labels import FER2013

if TYPE_CHECKING:
    from tests.window.conftest import Artist, World

BOX = (40.0, 100.0, 200.0, 260.0)
OTHER = (300.0, 100.0, 460.0, 260.0)


def numbers(faces: tuple[FaceResult, ...]) -> list[int]:
    return [round(100 * face.confidence) for face in faces]


def test_numbers_are_held_and_faces_are_not(draw: Artist) -> None:
    steady, held = Steady(), []
    for index in range(30):
        at, share = 100 + index / 30, 0.3 + index / 100
        moved = tuple(value + index for value in BOX)
        face = draw.face(1, (moved[0], moved[1], moved[2], moved[3]), confidence=share)
        result = draw.result(face, index=index, at=at)
        shown = steady.take(result, at).faces[0]
        assert shown.face is face.face
        assert shown.crop is face.crop
        assert float(shown.shown.max()) == pytest.approx(shown.confidence)
        held.append(round(100 * shown.confidence))
    changes = np.flatnonzero(np.diff(held)) + 1
    assert len(changes) == 4
    assert np.diff(changes).min() >= 30 * STEADY_SECONDS
    assert held[6] == 36, "what comes then is exact"


def test_all_faces_change_at_one_moment_and_a_new_one_is_there_at_once(draw: Artist) -> None:
    steady = Steady()
    said = []
    for index in range(8):
        share = 0.5 + index / 100
        faces = [draw.face(1, BOX, confidence=share)]
        if index >= 2:
            faces.append(draw.face(2, OTHER, confidence=share))
        result = draw.result(*faces, index=index, at=100 + index / 30)
        said.append(numbers(steady.take(result, 0.0).faces))
    assert said == [[50], [50], [50, 52], [50, 52], [50, 52], [50, 52], [56, 56], [56, 56]]


def test_another_model_is_said_at_once(draw: Artist) -> None:
    steady, face = Steady(), draw.face(1, BOX)
    steady.take(draw.result(face), 0.0)
    others = draw.result(draw.face(1, BOX, "anger", labels=FER2013), at=100.03)
    assert steady.take(others, 0.03).faces[0].said == "anger"
    second = SecondWord("x", FER2013, np.full(7, 1 / 7, np.float32), "fear", 1 / 7)
    asked = draw.result(replace(others.faces[0], second=second), at=100.06)
    assert steady.take(asked, 0.06).faces[0].second is second


def test_the_last_numbers_come_when_no_other_frame_does(draw: Artist) -> None:
    steady = Steady()
    steady.take(draw.result(draw.face(1, BOX, confidence=0.5)), 0.0)
    assert steady.overdue(9.0) is None
    last = draw.result(draw.face(1, BOX, confidence=0.7), at=100.1)
    steady.take(last, 0.1)
    assert steady.overdue(0.2) is None
    assert steady.overdue(0.4) is last
    assert steady.overdue(9.0) is None


@pytest.mark.gui
def test_picture_and_card_say_the_same_at_any_moment(
    open_window: Callable[..., MainWindow], world: World, draw: Artist, clock: list[float]
) -> None:
    window = open_window()
    live = window.live
    for index in range(20):
        share = 0.3 + index / 40
        face = draw.face(1, BOX, confidence=share)
        world.engine.result = draw.result(face, index=index, at=100 + index / 30)
        clock[0] += 1 / 30
        window.tick(at_once=True)
        assert live.video.result is not None
        (shown,) = live.video.result.faces
        (card,) = live.panel.cards
        assert f"happiness {round(100 * shown.said_confidence)} %" in card.accessibleName()
    clock[0] += 1.0
    window.tick(at_once=True)
    assert live.video.result is world.engine.result, "a pause shows the frame's own numbers"
