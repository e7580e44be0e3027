"""The map that a view shows of a face."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.messages import FaceResult
from app.views import BLOCK, BLOCKS, CAM, VIEWS, shown_label
from models.explain.attention import spatial_product

Map = NDArray[np.float32]

# Weights that differ by less, of 0 to 1, say nothing of places: stretched they would show noise.
_FLAT = 0.01


def attention_map(face: FaceResult, name: str = CAM) -> Map | None:
    """Return the (h, w) float32 map of the shown label, 0 to 1; None where there is none.

    Of a (C, h, w) array the label's map is taken. Only what speaks for the label counts: negative
    values become 0, then all are divided by the greatest. So 1 is the strongest place of this face,
    not a strength that can be compared between faces; a map without positive values says nothing
    and is None too.
    """
    values = face.prediction.attention.get(name)
    if values is None or not values.size:
        return None
    if values.ndim == 3:
        values = values[shown_label(face)]
    positive = np.maximum(values, np.float32(0))
    greatest = float(positive.max())
    if not np.isfinite(greatest) or greatest <= 0:
        return None
    return (positive / greatest).astype(np.float32)


def view_map(face: FaceResult, name: str) -> Map | None:
    """Return what a view of `VIEWS` tints, (h, w) float32, 0 to 1; None where it says nothing.

    Views that draw shapes, not maps, have none. Spatial weights are stretched, so that the least
    place has 0; weights that are alike everywhere say nothing.
    """
    view = VIEWS.get(name)
    if view is None or view.by_label:
        return attention_map(face, name)
    weights = spatial_weights(face, name)
    if weights is None:
        return None
    least, greatest = float(weights.min()), float(weights.max())
    if not greatest - least >= _FLAT:
        return None
    return np.asarray((weights - least) / (greatest - least), np.float32)


def spatial_weights(face: FaceResult, name: str) -> Map | None:
    """Return the (h, w) weights, 0 to 1, of an attention block such as "spatial3", or of "cbam".

    None for other names and where the model has none. "cbam" is the product over the blocks, at
    the side of the crop.
    """
    attention = face.prediction.attention
    if name != BLOCKS:
        found = attention.get(name) if name.startswith(BLOCK) else None
        return None if found is None else found[0]
    if not any(output.startswith(BLOCK) for output in attention):
        return None
    return spatial_product(attention, face.crop.shape[0])
