"""Face finders measured on the same held-back pictures."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.finder_scores import Found, Matched, average_precision, match
from models.finder_sets import SIZES, TURNS, Example, squares
from models.runtime.face_detector import FaceDetector, OpenCvDetector
from models.runtime.part_card import PartCard
from models.timing import median_ms

__all__ = ["Contender", "Outcome", "contender_by_name", "contender_of_file", "measure", "time_of"]

_LOWEST = 0.1
"""Score from which finds are kept to draw precision over recall, where a finder has a scale."""


@dataclass(frozen=True, slots=True, eq=False)
class Contender:
    """Hold one finder.

    find: maps a (H, W, 3) uint8 BGR picture to FER2013's squares and scores. score: the lowest at
    which it is used. ranked: whether it also gives finds below that score, so that precision can
    be drawn over recall.
    """

    name: str
    find: Callable[[NDArray[np.uint8]], Found]
    score: float
    ranked: bool


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Hold what one finder did on one set.

    recall: 0 to 1, at its own lowest score. false_alarms: a hundred pictures. precision: average,
    None for a finder without a scale. by_size, by_turn: recall and the number of faces by the
    words of `models.finder_sets`.
    """

    pictures: int
    faces: int
    recall: float
    false_alarms: float
    average_precision: float | None
    by_size: dict[str, tuple[float, int]]
    by_turn: dict[str, tuple[float, int]]

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "pictures": self.pictures,
            "faces": self.faces,
            "recall": round(self.recall, 4),
            "false_alarms_per_100": round(self.false_alarms, 2),
            "average_precision": None
            if self.average_precision is None
            else round(self.average_precision, 4),
            "by_size": {key: [round(part, 4), n] for key, (part, n) in self.by_size.items()},
            "by_turn": {key: [round(part, 4), n] for key, (part, n) in self.by_turn.items()},
        }


def contender_of_file(
    name: str,
    file: Path,
    settings: dict[str, float],
    *,
    longest: int | None = None,
    run_by: type[FaceDetector | OpenCvDetector] = FaceDetector,
) -> Contender:
    """Return a network of YuNet's form; longest: shrink pictures to so many pixels beforehand.

    settings: `score`, `overlap`, `side`, `right`, `down` as on a card.
    """
    detector = run_by(file, score=_LOWEST, overlap=settings["overlap"])

    def find(picture: NDArray[np.uint8]) -> Found:
        scale = 1.0 if longest is None else min(1.0, longest / max(picture.shape[:2]))
        if scale < 1:
            shrunk = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            picture = shrunk.astype(np.uint8, copy=False)
        found = detector.find(picture)
        boxes = np.concatenate([found.boxes[:, :2], found.boxes[:, :2] + found.boxes[:, 2:]], 1)
        place = (settings["side"], settings["right"], settings["down"])
        return Found(squares((boxes / scale).astype(np.float32), *place), found.scores)

    return Contender(name, find, settings["score"], ranked=True)


def settings_of(card: PartCard) -> dict[str, float]:
    """Return what a card says a finder is run with."""
    return {key: card.settings[key] for key in ("score", "overlap", "side", "right", "down")}


def contender_by_name(path: str) -> Contender:
    """Return a finder of another program, named as `package.module:Class`.

    It is made without arguments and has `name` and `find`, whose faces have `box.x1` to `box.y2`
    and `score`. Named, since this package does not know the programs built on it. Raises
    `ImportError` and `AttributeError` where there is none.
    """
    module, _, kind = path.partition(":")
    finder = getattr(importlib.import_module(module), kind)()

    def find(picture: NDArray[np.uint8]) -> Found:
        faces = finder.find(picture)
        boxes = [[face.box.x1, face.box.y1, face.box.x2, face.box.y2] for face in faces]
        scores = np.array([face.score for face in faces], np.float32)
        return Found(np.array(boxes, np.float32).reshape(-1, 4), scores)

    return Contender(str(finder.name), find, -np.inf, ranked=False)


def measure(contender: Contender, examples: Iterable[Example]) -> Outcome:
    """Return how a finder did on examples; every face is to be found once."""
    matched: list[Matched] = []
    sides, turns, found_at = [], [], []
    for example in examples:
        one = match(contender.find(example.pixels), example.truth)
        matched.append(one)
        counts = example.truth.counts
        sides.append(example.sides[counts])
        turns.append(example.turns[counts])
        found_at.append(np.where(one.finds >= 0, one.found_at, -np.inf)[counts])
    side, turn = np.concatenate(sides), np.concatenate(turns)
    hit = np.concatenate(found_at) > -np.inf
    if contender.ranked:
        hit = np.concatenate(found_at) >= contender.score
    alarms = sum(int((~one.right & (one.scores >= contender.score)).sum()) for one in matched)
    ranked = average_precision(matched, len(hit)) if contender.ranked else None
    return Outcome(
        pictures=len(matched),
        faces=len(hit),
        recall=_part(hit),
        false_alarms=100 * alarms / max(1, len(matched)),
        average_precision=ranked,
        by_size={
            _size_word(low, high): (_part(hit[within]), int(within.sum()))
            for low, high in SIZES
            if (within := (side >= low) & (side < high)).any()
        },
        by_turn={
            word: (_part(hit[turn == number]), int((turn == number).sum()))
            for number, word in enumerate(TURNS)
            if (turn == number).any()
        },
    )


def time_of(contender: Contender, picture: NDArray[np.uint8]) -> float:
    """Return the median milliseconds of a search on one picture, on one thread."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        return median_ms(lambda: contender.find(picture), seconds=1.5, runs=40)
    finally:
        cv2.setNumThreads(before)


def _part(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _size_word(low: int, high: int) -> str:
    return f"{low}-{high} px" if high < 10_000 else f"{low} px and more"
