"""A frame and its faces as plain values: what listeners and programs that read our output get."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.messages import FaceResult, SecondWord
from app.streams.base import Sample, monotonic_to_wall

Values = dict[str, Any]


def frame_record(sample: Sample, *, landmarks: bool = False) -> Values:
    """Return a frame with its faces as plain values, for JSON.

    landmarks: with the 68 points of every face, which are most of the text. The times are seconds:
    `time` on the monotonic clock of the capture, `wall` since 1970, `media_time` within a file.
    """
    record: Values = {
        "frame": sample.index,
        "time": sample.captured_at,
        "wall": monotonic_to_wall(sample.captured_at),
        "media_time": sample.media_time,
        "size": [sample.width, sample.height],
        "faces": [_face(face, landmarks=landmarks) for face in sample.faces],
        "ms": sample.timings.as_dict(),
    }
    return record | {"caption": sample.caption} if sample.caption else record


def _face(face: FaceResult, *, landmarks: bool) -> Values:
    box, labels = face.face.box, face.prediction.labels
    kinds = {"raw": face.prediction.probabilities, "smooth": face.probabilities}
    if face.corrected is not None:
        kinds["corrected"] = face.corrected
    record: Values = {
        "id": face.face.track_id,
        "box": [round(value, 2) for value in (box.x1, box.y1, box.width, box.height)],
        "score": round(face.face.score, 4),
        "label": face.label,
        "confidence": round(face.confidence, 4),
        "unsure": face.unsure,
        "quality": None if face.quality is None else round(face.quality.overall, 4),
        "probabilities": {kind: _by_label(labels, found) for kind, found in kinds.items()},
    }
    if face.second is not None:
        record["second"] = _second(face.second)
    if landmarks and face.face.landmarks is not None:
        record["landmarks"] = np.round(face.face.landmarks.astype(float), 2).tolist()
    return record


def _second(second: SecondWord) -> Values:
    return {
        "model": second.model,
        "label": second.label,
        "confidence": round(second.confidence, 4),
        "unsure": second.unsure,
        "probabilities": _by_label(second.labels, second.probabilities),
    }


def _by_label(labels: tuple[str, ...], values: NDArray[np.float32]) -> dict[str, float]:
    return {label: round(value, 4) for label, value in zip(labels, values.tolist(), strict=True)}
