"""What the landmark network is taught by."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from models.data.landmark_labels import EYES_APART

__all__ = ["errors", "fitting", "five_of_points", "map_loss", "point_loss"]

# All errors are in distances between the eyes. Below the first a miss costs by its square; five
# points come from a finder that is no better than the second.
_SMOOTH = 0.03
_FIVE_TOLERANCE = 0.05
# The confidence taught is 1 up to the first mean error and falls to 0 at the second.
_GOOD, _BAD = 0.10, 0.30
# How wide a landmark's heat map should be, in parts of the crop: about one cell.
_WIDTH = 1 / 16


def five_of_points(points: Tensor) -> Tensor:
    """Return eyes, nose tip and corners of the mouth (N, 5, 2) of 68 points (N, 68, 2)."""
    eyes = [points[:, 36:42].mean(1), points[:, 42:48].mean(1)]
    return torch.stack([*eyes, points[:, 30], points[:, 48], points[:, 54]], 1)


def errors(points: Tensor, truth: Tensor, scale: Tensor) -> Tensor:
    """Return each row's mean distance (N,) in distances between the eyes.

    points, truth: (N, K, 2) in parts of the crop. scale: (N,) sides of the crops in sides of the
    face's square.
    """
    away: Tensor = (points - truth).norm(dim=2).mean(1) * scale / EYES_APART
    return away


def point_loss(points: Tensor, truth: Tensor, scale: Tensor, *, rough: bool = False) -> Tensor:
    """Return each row's loss (N,): absolute where it is large, squared where it is small.

    rough: a truth that may itself be off, within which nothing is lost.
    """
    away = (points - truth).abs() * scale[:, None, None] / EYES_APART
    if rough:
        away = (away - _FIVE_TOLERANCE).clamp_min(0)
    return F.smooth_l1_loss(away, torch.zeros_like(away), beta=_SMOOTH, reduction="none").mean(
        (1, 2)
    )


def map_loss(maps: Tensor, grid: Tensor, truth: Tensor) -> Tensor:
    """Return for each row (N,) how far its heat maps are from narrow ones around the truth.

    The cross-entropy with a Gaussian (Nibali et al., "Numerical Coordinate Regression",
    arXiv 1801.07372, section 4.3). maps: (N, 68, cells), each summing to 1; grid: (cells, 2).
    A point beyond the maps is left out.
    """
    low, high = grid.amin(0), grid.amax(0)
    inside = ((truth > low) & (truth < high)).all(2)
    # Without the square of the truth, which is the same for all cells of a map.
    away = (grid * grid).sum(1) - 2 * truth @ grid.T
    wanted = (-0.5 / _WIDTH**2 * away).softmax(2)
    entropy = -(wanted * (maps + 1e-7).log()).sum(2)
    return (entropy * inside).sum(1) / inside.sum(1).clamp_min(1)


def fitting(away: Tensor) -> Tensor:
    """Return the confidence (N,) that a mean error, in distances between the eyes, deserves."""
    return ((_BAD - away) / (_BAD - _GOOD)).clamp(0, 1)
