"""A frame of a session as a result, to be drawn by the overlays of the live program."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.messages import Box, Face, FaceResult, Frame, FrameResult
from app.palette import UNSURE
from app.review.edited import Edited
from app.review.recording import LandmarkReader
from models.runtime.prediction import Prediction

__all__ = ["as_result"]

_NO_CROP = np.zeros((1, 1), np.uint8)
_NO_MAP = np.eye(2, 3)


def as_result(
    state: Edited,
    frame: int,
    image: NDArray[np.uint8],
    landmarks: LandmarkReader | None,
    caption: str = "",
) -> FrameResult:
    """Return a frame with the faces that count, as they were recorded.

    image: (H, W, 3) uint8 BGR. caption: what is said on it. The crop and the attention maps
    were not kept, so they are empty.
    """
    recording = state.recording
    time = float(recording.frame_times[frame])
    faces = tuple(
        _face(state, int(row), landmarks)
        for row in recording.rows_of_frame(frame)
        if state.kept[row]
    )
    number = int(recording.frame_numbers[frame])
    return FrameResult(Frame(image, number, time, time, caption=caption), faces)


def _face(state: Edited, row: int, landmarks: LandmarkReader | None) -> FaceResult:
    recording = state.recording
    x, y, width, height = (float(value) for value in recording.boxes[row])
    decided = int(recording.decided[row])
    sure = decided >= 0 and not recording.unsure[row]
    shown = np.ascontiguousarray(recording.shown[:, row])
    return FaceResult(
        face=Face(
            Box(x, y, x + width, y + height),
            float(recording.scores[row]),
            None if landmarks is None else landmarks.of_row(row),
            int(state.owners[row]),
        ),
        prediction=Prediction(np.ascontiguousarray(recording.raw[:, row]), recording.labels),
        probabilities=shown,
        label=recording.labels[decided] if sure else UNSURE,
        confidence=float(recording.confidence[row]),
        crop=_NO_CROP.copy(),
        crop_to_frame=_NO_MAP,
        unsure=not sure,
    )
