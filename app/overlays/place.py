"""Where the crop of a face lies on the canvas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.messages import FaceResult
from app.overlays.base import Viewport


def crop_to_canvas(face: FaceResult, view: Viewport) -> NDArray[np.float64]:
    """Return the (2, 3) matrix from pixels of the face's crop to pixels of the canvas."""
    to_canvas = view.matrix
    matrix = to_canvas[:, :2] @ face.crop_to_frame
    matrix[:, 2] += to_canvas[:, 2]
    return matrix


def corners_of(face: FaceResult, view: Viewport) -> NDArray[np.float64]:
    """Return the corners (4, 2) of the crop's outer edge on the canvas, around it."""
    far = face.crop.shape[0] - 0.5
    corners = np.array([[-0.5, -0.5], [far, -0.5], [far, far], [-0.5, far]])
    matrix = crop_to_canvas(face, view)
    return np.asarray(corners @ matrix[:, :2].T + matrix[:, 2], np.float64)
