"""Results without a camera, and an LSL that stays on this computer and among these tests."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import numpy as np
import pytest

from app.messages import Box, Face, FaceResult, Frame, FrameResult
from models.runtime.prediction import Prediction

LABELS = ("neutral", "happiness", "surprise")


class Maker:
    """Make results of which every number is known."""

    labels = LABELS

    def face(self, track: int, *, x: float = 100.0, labels: tuple[str, ...] = LABELS) -> FaceResult:
        raw = np.zeros(len(labels), np.float32)
        raw[0], raw[1] = 0.25, 0.75
        smooth = np.zeros(len(labels), np.float32)
        smooth[0], smooth[1] = 0.4, 0.6
        return FaceResult(
            face=Face(Box(x, 50.0, x + 64.0, 114.0), 3.5, track_id=track),
            prediction=Prediction(raw, labels),
            probabilities=smooth,
            label=labels[1],
            confidence=0.6,
            crop=np.zeros((48, 48), np.uint8),
            crop_to_frame=np.eye(2, 3),
        )

    def result(self, index: int, *faces: FaceResult, at: float | None = None) -> FrameResult:
        image = np.zeros((240, 320, 3), np.uint8)
        moment = time.monotonic() if at is None else at
        return FrameResult(Frame(image, index, moment), faces)


@pytest.fixture
def make() -> Maker:
    return Maker()


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Return how to wait until something is so."""

    def wait(condition: Callable[[], object], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.005)

    return wait


@pytest.fixture(scope="session")
def lsl_at_home() -> None:
    """Keep LSL to this computer and these tests; works only before LSL's first use."""
    pylsl = pytest.importorskip("pylsl")
    pylsl.set_config_content(
        f"[lab]\nSessionID = {uuid.uuid4().hex}\n[multicast]\nResolveScope = machine\n"
        f"[ports]\nIPv6 = disable\n[log]\nlevel = -3\n"
    )
