"""What the face finder is run with and how well it does, found on held-back pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.data.faces_parquet import FacePicture, read_pixels
from models.finder_compare import contender_of_file, measure
from models.finder_scores import Matched, match
from models.finder_sets import SETS, HeldBack, read_held_back
from models.runtime.face_detector import YUNET, FaceDetector
from models.runtime.framing import square_of

__all__ = ["MeasuredFinder", "measure_finder"]

FALSE_FINDS = 0.005
"""The lowest score is the one from which at most so many of the finds are no face."""
_LOWEST_SCORE, _HIGHEST_SCORE = 0.3, 0.9
_EXAMPLES = {"pictures": 100_000, "mosaics": 200, "films": 240}
_UNFITTED = YUNET | {"score": 0.0}


@dataclass(frozen=True, slots=True)
class MeasuredFinder:
    """Hold the settings of a card and its metrics."""

    settings: dict[str, float]
    metrics: tuple[dict[str, Any], ...]


def measure_finder(file: Path, data: Path) -> MeasuredFinder:
    """Choose the lowest score, fit FER2013's square, and measure on the held-back part."""
    held = read_held_back(data)
    score = _lowest_score(file, held)
    settings = {
        "score": score,
        "overlap": YUNET["overlap"],
        **_fit_square(file, held.pictures, score),
    }
    contender = contender_of_file("face_finder", file, settings)
    date = datetime.now(UTC).date().isoformat()
    metrics = tuple(
        {
            "split": "held back",
            "set": words,
            "date": date,
            **measure(contender, held.examples(name, _EXAMPLES[name])).as_json(),
        }
        for name, words in SETS.items()
    )
    return MeasuredFinder(settings, metrics)


def _lowest_score(file: Path, held: HeldBack) -> float:
    """Return the lowest score, in hundredths, from which few finds on mosaics are no face."""
    contender = contender_of_file("face_finder", file, _UNFITTED)
    matched = [
        match(contender.find(example.pixels), example.truth)
        for example in held.examples("mosaics", _EXAMPLES["mosaics"])
    ]
    return lowest_score(matched, FALSE_FINDS)


def lowest_score(matched: Sequence[Matched], false_finds: float) -> float:
    """Return the lowest score of 0.30 to 0.90 from which at most this part of finds is false."""
    scores = np.concatenate([one.scores for one in matched])
    right = np.concatenate([one.right for one in matched])
    for score in np.arange(_LOWEST_SCORE, _HIGHEST_SCORE, 0.01):
        kept = right[scores >= score]
        if len(kept) and (~kept).mean() <= false_finds:
            return round(float(score), 2)
    return _HIGHEST_SCORE


def _fit_square(file: Path, pictures: Sequence[FacePicture], score: float) -> dict[str, float]:
    """Return how FER2013's square of 68 known landmarks lies about the box found, in the median.

    Only its size and its height: the network saw each picture as often mirrored, so its boxes lean
    to no side, while the 68 known landmarks all lie a little too far to the right.
    """
    detector = FaceDetector(file, score=score, overlap=YUNET["overlap"])
    rows = []
    for picture in pictures:
        if picture.points68 is None:
            continue
        found = detector.find(read_pixels(picture))
        x, y, side = square_of(picture.points68)
        row = _against(found.boxes, (x, y), side)
        if row is not None:
            rows.append(row)
    if len(rows) < 20:
        return {key: _UNFITTED[key] for key in ("side", "right", "down")}
    larger, down = np.median(np.array(rows), axis=0)
    return {"side": round(float(larger), 3), "right": 0.0, "down": round(float(down), 3)}


def _against(
    boxes: NDArray[np.float32], middle: tuple[float, float], side: float
) -> tuple[float, float] | None:
    """Return side over size and how much lower a square lies than the box that it lies on."""
    x, y = middle
    for left, top, width, height in boxes.tolist():
        if left < x < left + width and top < y < top + height:
            return side / float(np.sqrt(width * height)), (y - top - height / 2) / side
    return None
