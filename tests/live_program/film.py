"""A pipeline of parts that count and measure, and a film put through it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.faces import make_finder
from app.live.pipeline import Pipeline
from app.messages import Face, Frame, FrameResult
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


def framed(image: Image, index: int) -> Frame:
    return Frame(image, index, 1000.0 + index / FPS, index / FPS)


def play(pipeline: Pipeline, images: Sequence[Image], first: int = 0) -> list[FrameResult]:
    return [pipeline.process(framed(image, first + i)) for i, image in enumerate(images)]


def ids(result: FrameResult) -> list[int | None]:
    return [face.face.track_id for face in result.faces]


def blank() -> Image:
    return np.full((480, 640, 3), 110, np.uint8)
