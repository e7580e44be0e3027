"""The cleaning of the four-class model, on pictures whose flaws are known."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from models.data.clean import SHARPNESS, FourClassCleaning, clean_four, sharpness
from models.data.face_set import FaceSet, clean_training
from models.data.ferplus import majority, soft_targets
from models.runtime.errors import UserError
from models.runtime.labels import FERPLUS

_SHARP = (np.random.default_rng(0).random((48, 48)) * 255).astype(np.uint8)
_SOFT = cv2.GaussianBlur(_SHARP, (0, 0), 2.5).astype(np.uint8)
_ANGER, _DISGUST, _HAPPINESS = 0, 1, 3


def _votes(**counts: int) -> list[int]:
    return [counts.get(name, 0) for name in (*FERPLUS, "unknown", "not_a_face")]


def _faces() -> FaceSet:
    rows = [
        (_SHARP, _ANGER, _votes(anger=7, neutral=3), "Training"),
        (_SHARP, _DISGUST, _votes(disgust=10), "Training"),
        (_SOFT, _ANGER, _votes(anger=10), "Training"),
        (_SHARP, _HAPPINESS, _votes(happiness=1, not_a_face=9), "PublicTest"),
        (_SHARP, _HAPPINESS, _votes(sadness=6, neutral=4), "PublicTest"),
        (_SHARP, _HAPPINESS, _votes(happiness=1, neutral=9), "PublicTest"),
        (_SOFT, _HAPPINESS, _votes(neutral=10), "Training"),
    ]
    return FaceSet(
        pixels=np.stack([row[0] for row in rows]),
        labels=np.array([row[1] for row in rows], np.int64),
        votes=np.array([row[2] for row in rows], np.uint8),
        splits=np.array([row[3] for row in rows]),
        names=np.array([str(number) for number in range(len(rows))]),
    )


def test_each_picture_is_dropped_for_its_first_reason() -> None:
    kept, dropped = clean_four(_faces())
    assert list(kept.names) == ["0", "5"]
    assert dropped == FourClassCleaning(other_expression=1, blurred=2, no_face=1, contested=1)
    assert kept.label_set == "fer2013-4"
    assert kept.counts() == {"anger": 1, "happiness": 1, "sadness": 0, "neutral": 0}
    assert list(kept.splits) == ["Training", "PublicTest"]


def test_the_rule_can_be_made_stricter_or_looser() -> None:
    assert list(clean_four(_faces(), own_votes=2)[0].names) == ["0"]
    loose, _ = clean_four(_faces(), least_sharpness=0, own_votes=0)
    assert list(loose.names) == ["0", "2", "4", "5", "6"]


def test_votes_are_needed() -> None:
    with pytest.raises(UserError, match=r"expected FER\+ votes"):
        clean_four(replace(_faces(), votes=None))


def test_sharpness_falls_with_blur_and_not_with_darkness() -> None:
    dark = (_SHARP // 4).astype(np.uint8)
    blank = np.full((48, 48), 9, np.uint8)
    sharp, soft, dim, none = sharpness(np.stack([_SHARP, _SOFT, dark, blank]))
    assert soft < SHARPNESS < sharp
    assert dim == pytest.approx(sharp, rel=0.02)
    assert none == 0


def test_copies_and_blanks_leave_the_training_part_only() -> None:
    faces = replace(_faces(), pixels=np.random.default_rng(1).integers(0, 255, (7, 48, 48), "u1"))
    faces.pixels[0] = faces.pixels[3]
    faces.pixels[1] = 20
    kept, dropped = clean_training(faces)
    assert list(kept.names) == ["2", "6"]
    assert (dropped.copies, dropped.blank) == (1, 1)


def test_ferplus_majority_drops_slips_and_ties() -> None:
    votes = np.array(
        [
            _votes(anger=6, neutral=4),
            _votes(anger=5, neutral=5),
            _votes(anger=4, neutral=2, fear=1, sadness=1, disgust=1, contempt=1),
            _votes(unknown=6, anger=4),
            _votes(anger=1, fear=1),
        ],
        np.uint8,
    )
    anger = FERPLUS.index("anger")
    assert list(majority(votes)) == [anger, -1, anger, -1, -1]
    targets = soft_targets(votes)
    assert targets[2, anger] == pytest.approx(4 / 6)
    np.testing.assert_allclose(targets.sum(axis=1), [1, 1, 1, 0, 0])
