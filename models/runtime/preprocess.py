"""The one way from a gray crop to a network's input.

Training evaluation, export, command line and live app all come through here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.runtime.card import InputSpec


def to_input(crops: Sequence[NDArray[np.uint8]], spec: InputSpec) -> NDArray[np.float32]:
    """Return (N, 1, S, S) float32 of N gray crops (S, S) uint8.

    Raises `ValueError` for a crop of another shape or type.
    """
    for crop in crops:
        if crop.shape != (spec.size, spec.size) or crop.dtype != np.uint8:
            raise ValueError(
                f"expected ({spec.size}, {spec.size}) uint8 crops, found {crop.shape} {crop.dtype}"
            )
    batch = np.stack(crops)[:, None].astype(np.float32)
    batch *= 1 / (255 * spec.std)
    batch -= spec.mean / spec.std
    return batch


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float32]:
    """Return probabilities (N, C) float32 of logits (N, C)."""
    scaled = logits.astype(np.float64) / temperature
    scaled = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = scaled / scaled.sum(axis=1, keepdims=True)
    return probabilities.astype(np.float32)
