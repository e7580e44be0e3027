"""The four-class cleaning of the attentional network, as a rule.

Chen, Yang and Ning, "Facial Emotion Recognition by Attentional Convolutional Network", University
of Michigan, section 4, drop disgust, fear and surprise, pictures that are blurry, and pictures
whose meaning is ambiguous, by eye. Here both are measured, so that anyone gets the same pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.face_set import FaceSet
from models.data.labels_map import translate
from models.runtime.errors import UserError
from models.runtime.labels import FERPLUS

SHARPNESS = 1.45
"""Below this a picture is blurred; about 1 of 100 FER2013 pictures is, most of them a soft face
or no photograph at all."""
OWN_VOTES = 1
"""So many of the ten FER+ people must have named the expression that FER2013 names."""


@dataclass(frozen=True, slots=True)
class FourClassCleaning:
    """Count what was dropped, each picture under the first reason that holds."""

    other_expression: int
    blurred: int
    no_face: int
    contested: int


def sharpness(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return how sharp pictures (N, H, W) are, (N,), about 2.2 for a FER2013 face; 0 for a blank.

    The variance of the Laplacian, as usual for blur, over the mean square of the gradient: a
    bare variance falls with contrast too, and would drop dark faces for being dark.
    """
    values = np.zeros(len(pixels))
    for row, face in enumerate(pixels):
        gray = face.astype(np.float32)
        gradient = float((np.diff(gray, axis=0) ** 2).mean() + (np.diff(gray, axis=1) ** 2).mean())
        if gradient > 0:
            values[row] = cv2.Laplacian(gray, cv2.CV_32F).var() / gradient
    return values


def clean_four(
    faces: FaceSet, *, least_sharpness: float = SHARPNESS, own_votes: int = OWN_VOTES
) -> tuple[FaceSet, FourClassCleaning]:
    """Return the sharp and uncontested pictures of four expressions, labelled as `fer2013-4`.

    A picture is blurred below least_sharpness, shows no face where FER+'s "not a face" or
    "unknown" has the most votes, and is contested where fewer than own_votes of the FER+ people
    named its FER2013 label. No picture is moved between splits. Raises `UserError` without votes.
    """
    if faces.votes is None:
        raise UserError(
            "expected FER+ votes to see which pictures are contested, found none: put "
            "fer2013new.csv beside the FER2013 file"
        )
    labels = faces.labels_in("fer2013-4")
    in_ferplus = translate(faces.labels, faces.label_set, "ferplus")
    own = faces.votes[np.arange(len(faces)), in_ferplus]
    reasons = (
        labels < 0,
        sharpness(faces.pixels) < least_sharpness,
        faces.votes.argmax(axis=1) >= len(FERPLUS),
        own < own_votes,
    )
    kept = np.ones(len(faces), bool)
    dropped = []
    for reason in reasons:
        dropped.append(int((kept & reason).sum()))
        kept &= ~reason
    cleaned = replace(faces, labels=labels, label_set="fer2013-4").select(kept)
    return cleaned, FourClassCleaning(*dropped)
