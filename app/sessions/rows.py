"""From results to rows, column by column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.messages import FaceResult, FrameResult, StageTimings
from app.sessions.arrow import column, fixed_lists
from app.sessions.schema import LANDMARKS, PROBABILITIES, QUALITIES, TIMINGS, frames_schema

__all__ = ["FrameRow", "RowBuilder", "frame_row"]

_NO_POINTS = np.full(2 * LANDMARKS, np.nan, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class FrameRow:
    """Hold what the table keeps of a frame, without its picture: what waits must be small."""

    index: int
    captured_at: float
    media_time: float | None
    timings: StageTimings
    faces: tuple[dict[str, Any], ...]


def frame_row(result: FrameResult) -> FrameRow:
    """Return what the table keeps of a result."""
    frame = result.frame
    faces = tuple(_face_values(face) for face in result.faces)
    return FrameRow(frame.index, frame.captured_at, frame.media_time, result.timings, faces)


class RowBuilder:
    """Collect frames and give them back as Arrow record batches."""

    def __init__(self, labels: Sequence[str], *, monotonic: float, wall: float) -> None:
        """Begin. monotonic, wall: seconds that both mean the start of the session."""
        self.schema = frames_schema(labels)
        self._labels = tuple(labels)
        self._monotonic = monotonic
        self._wall = wall
        self._rows: list[dict[str, Any]] = []
        self._landmarks: list[NDArray[np.float32]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: FrameRow) -> int:
        """Take a frame in and return how many rows it made: one a face, one without any."""
        time = row.captured_at - self._monotonic
        shared: dict[str, Any] = {
            "frame": row.index,
            "session_time": time,
            "wall_time": round((self._wall + time) * 1e6),
            "media_time": row.media_time,
        }
        for name in TIMINGS:
            shared[f"ms_{name}"] = getattr(row.timings, name)
        for face in row.faces or ({},):
            self._rows.append(shared | self._labelled(face))
            points = face.get("landmarks")
            self._landmarks.append(_NO_POINTS if points is None else points)
        return len(row.faces) or 1

    def take(self) -> Any:
        """Return the collected rows as one record batch and forget them."""
        rows, self._rows = self._rows, []
        points, self._landmarks = self._landmarks, []
        arrays = [
            _landmark_array(rows, points)
            if field.name == "landmarks"
            else column([row.get(field.name) for row in rows], field.type)
            for field in self.schema
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _labelled(self, face: dict[str, Any]) -> dict[str, Any]:
        """Spread the probabilities over their columns."""
        values = dict(face)
        for kind in PROBABILITIES:
            found = values.pop(kind, None)
            if found is not None:
                for label, value in zip(self._labels, found.tolist(), strict=True):
                    values[f"{kind}_{label}"] = value
        return values


def _face_values(result: FaceResult) -> dict[str, Any]:
    face, box = result.face, result.face.box
    values: dict[str, Any] = {
        "face_id": face.track_id,
        "box_x": box.x1,
        "box_y": box.y1,
        "box_width": box.width,
        "box_height": box.height,
        "finder_score": face.score,
        "raw": result.prediction.probabilities,
        "smooth": result.probabilities,
        "corrected": result.corrected,
        "label": result.label,
        "confidence": result.confidence,
        "unsure": result.unsure,
    }
    if face.landmarks is not None and len(face.landmarks) == LANDMARKS:
        values["landmarks"] = face.landmarks.reshape(-1)
    if result.quality is not None:
        for name in QUALITIES:
            values[f"quality_{name}"] = _measured(getattr(result.quality, name))
        values["quality"] = _measured(result.quality.overall)
    return values


def _measured(value: float) -> float | None:
    return None if math.isnan(value) else value


def _landmark_array(rows: list[dict[str, Any]], points: list[NDArray[np.float32]]) -> Any:
    valid = np.array(["landmarks" in row for row in rows], bool)
    return fixed_lists(np.reshape(points, (len(rows), 2 * LANDMARKS)), valid)
