"""Find Training pictures that are PublicTest's photographs again, and what that does to figures.

    python benchmarks/near_copies.py --data fer2013.csv --models cbam_resnet18.fer2013

Copies that are the same to the last pixel are dropped from every training. This finds those that
were cut, scaled or marked otherwise: both pictures are brought to 16x16, their mean is taken off,
and the cosine between the two is above a bound. On FER2013 all 48 pairs that were looked at above
0.98, the most and the least alike, showed one photograph.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.card_making import run_in_batches
from models.data.face_set import clean_training
from models.data.fer2013 import read_fer2013
from models.measure import truth_for
from models.runtime.store import load_model

BOUND = 0.98
_SIDE = 16
_AT_ONCE = 512


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="FER2013, with its FER+ votes")
    parser.add_argument("--models", default="mini_xception.fer2013,mini_xception.ferplus")
    parser.add_argument("--bound", type=float, default=BOUND)
    arguments = parser.parse_args()
    faces = read_fer2013(arguments.data, None)
    validation = faces.split("PublicTest")
    nearest = likeness(validation.pixels, clean_training(faces)[0].pixels)
    for bound in (0.999, 0.99, arguments.bound):
        print(f"above {bound}: {int((nearest > bound).sum())} of {len(nearest):,}")
    twins = nearest > arguments.bound
    print("| model, mirror | n | all | again in Training | n | without them |")
    print("|---|---|---|---|---|---|")
    for name in arguments.models.split(","):
        model = load_model(name, mirror=True)
        truth = truth_for(validation, model.card.label_set)
        right = run_in_batches(model, validation.pixels, mirror=True).argmax(1) == truth
        asked = truth >= 0
        parts = [right[asked], right[asked & twins], right[asked & ~twins]]
        whole, again, rest = (f"{100 * part.mean():.2f} %" for part in parts)
        print(f"| `{name}` | {len(parts[0]):,} | {whole} | {again} | {len(parts[1])} | {rest} |")


def likeness(asked: NDArray[np.uint8], among: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how like each of N pictures the likest of M others is, the cosine (N,), -1 to 1."""
    others = _directions(among).T
    parts = [
        (_directions(asked[start : start + _AT_ONCE]) @ others).max(1)
        for start in range(0, len(asked), _AT_ONCE)
    ]
    return np.concatenate(parts)


def _directions(pictures: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pictures (N, S, S) as unit vectors (N, 256) without their mean; 0 for blank ones."""
    small = np.stack(
        [cv2.resize(each, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for each in pictures]
    )
    vectors = small.reshape(len(small), -1).astype(np.float32)
    vectors -= vectors.mean(1, keepdims=True)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-6), np.float32)


if __name__ == "__main__":
    main()
