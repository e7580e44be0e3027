"""Vary a batch of gray faces, all pictures at once, on whatever device they are."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from models.training.recipe import Augmentation


def augment(faces: Tensor, how: Augmentation, generator: Generator) -> Tensor:
    """Return new views (N, 1, S, S) of faces (N, 1, S, S), float 0 to 1 in and out.

    One resampling does flip, rotation, scale and shift together; outside the picture its edge is
    repeated, as the live crop does.
    """

    def draw(most: float) -> Tensor:
        uniform = torch.rand(len(faces), generator=generator, device=faces.device)
        return (uniform * 2 - 1) * most

    views = _warp(faces, how, draw(1), draw(1), draw(1), draw(1), draw(1))
    contrast = (1 + draw(how.contrast)).view(-1, 1, 1, 1)
    brightness = draw(how.brightness).view(-1, 1, 1, 1)
    gamma = torch.exp(draw(math.log1p(how.gamma))).view(-1, 1, 1, 1)
    grey = views.mean((1, 2, 3), keepdim=True)
    views = ((views - grey) * contrast + grey + brightness).clamp(1e-4, 1).pow(gamma)
    if how.erase:
        views = _erase(views, how.erase, generator)
    return views


def _warp(
    faces: Tensor, how: Augmentation, flip: Tensor, turn: Tensor, zoom: Tensor, x: Tensor, y: Tensor
) -> Tensor:
    """Resample with the draws of -1 to 1 that decide each picture's similarity."""
    mirror = torch.where(flip < how.flip * 2 - 1, -1.0, 1.0)
    angle = turn * math.radians(how.rotate)
    # Symmetric in the logarithm, so that shrinking is as likely as growing.
    scale = torch.exp(zoom * math.log1p(how.scale))
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    theta = torch.stack(
        [cos * mirror, -sin, x * how.shift * 2, sin * mirror, cos, y * how.shift * 2], dim=1
    )
    grid = F.affine_grid(theta.view(-1, 2, 3), list(faces.shape), align_corners=False)
    return F.grid_sample(faces, grid, padding_mode="border", align_corners=False)


def _erase(faces: Tensor, probability: float, generator: Generator) -> Tensor:
    """Blank a rectangle of 2-20 % of some pictures (Zhong et al., arXiv 1708.04896)."""
    count, _, side, _ = faces.shape
    u = torch.rand(5, count, 1, generator=generator, device=faces.device)
    area, aspect = 0.02 + 0.18 * u[0], torch.exp((u[1] * 2 - 1) * math.log(3.0))
    width = (area * aspect).sqrt().clamp(max=1)
    height = (area / aspect).sqrt().clamp(max=1)
    place = (torch.arange(side, device=faces.device) + 0.5) / side
    left, top = u[2] * (1 - width), u[3] * (1 - height)
    across = (place >= left) & (place < left + width)
    down = (place >= top) & (place < top + height)
    inside = down[:, :, None] & across[:, None, :] & (u[4] < probability)[:, :, None]
    return torch.where(inside[:, None], faces.mean((1, 2, 3), keepdim=True), faces)
