"""Which parts of a picture a model is shown when it is measured.

One crop is the whole picture, resized to the model's input where that is larger. A model whose
input is smaller than the picture, such as 44 of 48 pixels, was trained on cut-outs of that size
and is shown the middle one, unscaled. Ten crops are the four corners and the middle, 44 / 48 of the
side wide or as wide as such a model's input, brought to the input size, each also mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Tta = Literal["none", "flip", "ten-crop"]
TTAS: tuple[Tta, ...] = ("none", "flip", "ten-crop")
TEN_CROP_PART = 44 / 48


@dataclass(frozen=True, slots=True)
class View:
    """Place one square crop in a picture, in pixels, and say whether it is mirrored."""

    left: int
    top: int
    side: int
    mirrored: bool = False


def crop_views(side: int, input_size: int, tta: Tta) -> tuple[View, ...]:
    """Return the crops of a (side, side) picture for a model of this input size.

    Logits of the crops are averaged. "none" gives one crop, "flip" it and its mirror image,
    "ten-crop" ten; the mirrored ones come last, in the same order.
    """
    width = min(side, input_size)
    if tta == "ten-crop" and width == side:
        width = round(side * TEN_CROP_PART)
    rest = side - width
    places = [(rest // 2, rest // 2)]
    if tta == "ten-crop":
        places += [(0, 0), (rest, 0), (0, rest), (rest, rest)]
    mirrors = (False,) if tta == "none" else (False, True)
    return tuple(View(left, top, width, mirrored) for mirrored in mirrors for left, top in places)


def cut(pixels: NDArray[np.uint8], view: View, input_size: int) -> NDArray[np.uint8]:
    """Return one crop of each picture, (N, S, S) uint8 gray to (N, input, input)."""
    crops = pixels[:, view.top : view.top + view.side, view.left : view.left + view.side]
    if view.side != input_size:
        size = (input_size, input_size)
        crops = np.stack([cv2.resize(crop, size).astype(np.uint8, copy=False) for crop in crops])
    return crops[..., ::-1] if view.mirrored else crops


def describe_crops(side: int, input_size: int, tta: Tta) -> str:
    """Say in words what `crop_views` gives."""
    width = crop_views(side, input_size, tta)[0].side
    resized = "" if width == input_size else f", resized to {input_size} x {input_size} pixels"
    if tta == "ten-crop":
        return (
            f"ten crops: the middle and the four corners, {width} of {side} pixels wide{resized}, "
            "each also mirrored; mean of the logits"
        )
    whole = "the whole picture" if width == side else f"the middle {width} of {side} pixels"
    if tta == "flip":
        return f"two crops: {whole}{resized} and its mirror image; mean of the logits"
    return f"one crop: {whole}{resized}"
