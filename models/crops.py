"""Which parts of a picture a model is shown when it is measured.

One crop is the model's field, the middle of the picture: all 48 pixels, or fewer for a model that
was trained on cut-outs, such as 44. Ten crops are the four corners and the middle, as wide as such
a field or else 44 / 48 of the side, each also mirrored. Each is brought to the model's input size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.runtime.card import FER2013_SIDE, InputSpec

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


def crop_views(side: int, field: int, tta: Tta) -> tuple[View, ...]:
    """Return the crops of a (side, side) picture, framed as FER2013, for a model of this field.

    Logits of the crops are averaged. "none" gives one crop, "flip" it and its mirror image,
    "ten-crop" ten; the mirrored ones come last, in the same order.
    """
    width = round(side * field / FER2013_SIDE)
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
        how = cv2.INTER_AREA if view.side > input_size else cv2.INTER_LINEAR
        crops = np.stack(
            [
                cv2.resize(crop, size, interpolation=how).astype(np.uint8, copy=False)
                for crop in crops
            ]
        )
    return crops[..., ::-1] if view.mirrored else crops


def one_crop(pixels: NDArray[np.uint8], spec: InputSpec) -> NDArray[np.uint8]:
    """Return the one crop of each picture, (N, S, S) uint8 gray, for a model of this input."""
    (view,) = crop_views(pixels.shape[1], spec.field, "none")
    return cut(pixels, view, spec.size)


def describe_crops(side: int, spec: InputSpec, tta: Tta) -> str:
    """Say in words what a model of this input is shown of a (side, side) picture."""
    width = crop_views(side, spec.field, tta)[0].side
    input_size = spec.size
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
