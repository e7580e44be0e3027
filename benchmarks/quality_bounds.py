"""Spoil PublicTest faces step by step and see when the model stops reading them.

    python benchmarks/quality_bounds.py --data fer2013.csv

The bounds of `app/faces/quality.py` are read off what this prints: accuracy beside the median of
what is measured.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.fer2013 import read_fer2013
from models.measure import truth_for
from models.runtime.classifier import OnnxClassifier
from models.runtime.store import load_model
from models.scoring import classifier_logits
from models.spoil import Picture, blurred, darkened, one_sided, overexposed, shrunk


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="FER2013, with its FER+ votes")
    parser.add_argument("--model", default="mini_xception.ferplus")
    arguments = parser.parse_args()
    faces = read_fer2013(arguments.data, None).split("PublicTest")
    model = load_model(arguments.model, mirror=False)
    truth = truth_for(faces, model.card.label_set)
    pictures, truth = faces.pixels[truth >= 0], truth[truth >= 0]
    chance = np.random.default_rng(0)
    spoilt: dict[str, tuple[tuple[float, ...], Callable[[Picture, float], Picture]]] = {
        "blurred by a sigma of": ((0.5, 0.8, 1.2, 1.6, 2.0, 3.2), blurred),
        "pixels a side": ((12, 16, 20, 24, 28, 32, 40), shrunk),
        "darkened to": ((0.5, 0.25, 0.12, 0.06), lambda face, to: darkened(face, to, chance)),
        "overexposed by": ((1.5, 2, 3, 4), overexposed),
        "one side darker by": (
            (0.3, 0.5, 0.7, 0.85), lambda face, by: one_sided(face, by, chance)
        ),
    }  # fmt: skip
    print(f"as they are: {row(model, pictures, truth)}")
    for name, (steps, spoil) in spoilt.items():
        for step in steps:
            light = pictures.astype(np.float32)
            changed = [np.clip(spoil(one, step), 0, 255).astype(np.uint8) for one in light]
            print(f"{name} {step:g}: {row(model, np.stack(changed), truth)}")


def row(model: OnnxClassifier, pictures: NDArray[np.uint8], truth: NDArray[np.int64]) -> str:
    logits = classifier_logits(model, pictures, "one")
    accuracy = (logits.argmax(axis=1) == truth).mean()
    measured = np.median([measures(one) for one in pictures[::4]], axis=0)
    words = "sharpness {:.2f}, level {:.0f}, contrast {:.0f}, white {:.2f}, one-sided {:.2f}"
    return f"accuracy {accuracy:.3f}; {words.format(*measured)}"


def measures(face: NDArray[np.uint8]) -> tuple[float, ...]:
    """Return what `app.faces.quality` grades, before it is graded."""
    middle = face[6:44, 6:42].astype(np.float32)
    edges = cv2.Laplacian(middle, cv2.CV_32F)
    sharpness = float(np.sqrt((edges**2).mean()) / (middle.std() + 5))
    seen = face[8:46, 8:40].astype(np.float32)
    left, right = seen[:, :16].mean(), seen[:, 16:].mean()
    one_side = float(abs(left - right) / (left + right + 1))
    return sharpness, float(seen.mean()), float(seen.std()), float((seen > 239).mean()), one_side


if __name__ == "__main__":
    main()
