"""Faces by hand, overlays drawn on plain pictures, and a stage for the engine.

With MIEN_UPDATE_GOLDEN=1 in the environment the golden pictures are written anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.faces.landmarks import Landmarker, make_landmarker
from app.messages import Box, Face, FaceResult, Frame, FrameResult, Prediction
from app.overlays import OVERLAYS, make_overlay, render
from app.overlays.base import Canvas, Overlay
from app.sources.actor import ActorSource
from models.runtime.labels import FERPLUS
from tests.live_program.scripted import Stage

CROP = 48


class Easel:
    """Make faces, results and pictures."""

    golden = Path(__file__).parents[1] / "golden"
    five = np.array([[15, 18.9], [32.7, 18.8], [24, 29], [17, 38], [31, 38]])

    def __init__(self) -> None:
        self.sixty_eight = _sixty_eight()

    def face(
        self,
        /,
        centre: tuple[float, float] = (120, 120),
        side: float = 120,
        *,
        label: str = "happiness",
        confidence: float = 0.92,
        track: int | None = 1,
        labels: tuple[str, ...] = FERPLUS,
        landmarks: NDArray[np.float64] | None = None,
        angle: float = 0.0,
        **attention: NDArray[Any] | None,
    ) -> FaceResult:
        """Return a face whose crop is a square of `side` around `centre`, frame pixels.

        attention: the model's outputs, those that are None left out.
        """
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        turn = turn * side / CROP
        middle = (CROP - 1) / 2
        shift = np.array(centre) - turn @ (middle, middle)
        points = self.sixty_eight if landmarks is None else landmarks
        probabilities = np.full(len(labels), (1 - confidence) / (len(labels) - 1), np.float32)
        if label in labels:
            probabilities[labels.index(label)] = confidence
        reach = 0.44 * side
        x, y = centre
        said = {
            name: np.asarray(values, np.float32)
            for name, values in attention.items()
            if values is not None
        }
        return FaceResult(
            Face(
                Box(x - reach, y - reach, x + reach, y + reach),
                0.9,
                (points @ turn.T + shift).astype(np.float32),
                track,
            ),
            Prediction(probabilities, labels, said),
            probabilities,
            label,
            confidence,
            np.tile(np.linspace(40, 220, CROP).astype(np.uint8), (CROP, 1)),
            np.column_stack([turn, shift]),
        )

    def cam(self, label: str, row: int, column: int) -> NDArray[np.float32]:
        """Return maps positive in one cell of the label's map, elsewhere of other labels."""
        cam = np.full((len(FERPLUS), 3, 3), 5, np.float32)
        cam[FERPLUS.index(label)] = -1
        cam[FERPLUS.index(label), row, column] = 2
        return cam

    def gradient(self, width: int = 400, height: int = 300) -> Canvas:
        across = np.linspace(30, 230, width)[None]
        down = np.linspace(220, 40, height)[:, None]
        mixed = np.stack(np.broadcast_arrays(across, down, (across + down) / 2), axis=2)
        return mixed.astype(np.uint8)

    def grey(self, width: int = 400, height: int = 300, value: int = 128) -> Canvas:
        return np.full((height, width, 3), value, np.uint8)

    def at(
        self, time: float, *faces: FaceResult, image: Canvas | None = None, index: int = 0
    ) -> FrameResult:
        return FrameResult(Frame(self.grey() if image is None else image, index, time), faces)

    def drawn(
        self,
        overlays: Iterable[Overlay],
        *faces: FaceResult,
        image: Canvas | None = None,
        size: tuple[int, int] = (400, 300),
        mirrored: bool = False,
    ) -> Canvas:
        result = self.at(0, *faces, image=image)
        return render(result, size=size, mirrored=mirrored, overlays=overlays)

    def every_overlay(self) -> list[Overlay]:
        return [make_overlay(name) for name in OVERLAYS]

    def compare(self, name: str, picture: Canvas, text_rows: int) -> None:
        """Compare closely below `text_rows`, above with room for other versions of the font."""
        file = self.golden / f"{name}.png"
        if os.environ.get("MIEN_UPDATE_GOLDEN") == "1":
            cv2.imwrite(str(file), picture)
        golden = cv2.imread(str(file))
        assert golden is not None, f"{file} is missing: run once with MIEN_UPDATE_GOLDEN=1"
        assert golden.shape == picture.shape
        difference = np.abs(golden.astype(int) - picture).max(axis=2)
        assert difference.mean() < 0.8
        assert (difference > 48).mean() < 0.006
        assert (difference[text_rows:] > 24).sum() < 25


def _sixty_eight() -> NDArray[np.float64]:
    """Return a plain face in crop pixels, in the iBUG order."""

    def arc(
        x: float, y: float, size: tuple[float, float], ends: tuple[float, float], count: int
    ) -> NDArray[np.float64]:
        turn = np.linspace(*ends, count)
        return np.stack([x + size[0] * np.cos(turn), y + size[1] * np.sin(turn)], axis=1)

    half, full = np.pi, 2 * np.pi
    parts = [
        arc(24, 20, (21, 26), (half, 0), 17),
        arc(14, 13, (6, 3), (half, full), 5),
        arc(34, 13, (6, 3), (half, full), 5),
        np.stack([np.full(4, 24.0), np.linspace(18, 28, 4)], axis=1),
        arc(24, 30, (4, 1.5), (half, 0), 5),
        arc(15, 18.9, (3.3, 1.6), (half, half + full * 5 / 6), 6),
        arc(32.7, 18.8, (3.3, 1.6), (half, half + full * 5 / 6), 6),
        arc(24, 38, (8, 3.4), (half, half + full * 11 / 12), 12),
        arc(24, 38, (6, 1.2), (half, half + full * 7 / 8), 8),
    ]
    return np.concatenate(parts)


@pytest.fixture
def easel() -> Easel:
    return Easel()


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.stop()


@pytest.fixture(scope="module")
def landmarker() -> Landmarker:
    return make_landmarker()


@pytest.fixture(scope="module")
def clip() -> list[NDArray[np.uint8]]:
    """Return the actor's first two seconds."""
    with ActorSource(paced=False) as source:
        frames = [source.read() for _ in range(60)]
    return [frame.image for frame in frames if frame is not None]
