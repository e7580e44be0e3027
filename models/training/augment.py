"""Vary a batch of gray faces, all pictures at once, on whatever device they are."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from models.training.glasses import draw_glasses
from models.training.recipe import Augmentation
from models.training.webcam_spoiling import spoil


def augment(faces: Tensor, how: Augmentation, generator: Generator) -> Tensor:
    """Return new views (N, 1, S, S) of faces (N, 1, S, S), float 0 to 1 in and out.

    One resampling does flip, rotation, scale and shift together; outside the picture its edge is
    repeated, as the live crop does.

    Everything is drawn from the generator: one on the device of the faces is quick, one of the CPU
    gives the same views on every device. Glasses, spoiling and the blank rectangle draw only where
    they are on, so that recipes without them give the views that they gave before there were such.
    """

    def draw(most: float) -> Tensor:
        uniform = torch.rand(len(faces), generator=generator, device=generator.device)
        return (uniform.to(faces.device) * 2 - 1) * most

    if how.glasses:  # before the warp, while the eyes are where FER2013 has them
        faces = draw_glasses(faces, how.glasses, generator)
    views = _warp(faces, how, draw(1), draw(1), draw(1), draw(1), draw(1))
    contrast = (1 + draw(how.contrast)).view(-1, 1, 1, 1)
    brightness = draw(how.brightness).view(-1, 1, 1, 1)
    gamma = torch.exp(draw(math.log1p(how.gamma))).view(-1, 1, 1, 1)
    grey = views.mean((1, 2, 3), keepdim=True)
    views = ((views - grey) * contrast + grey + brightness).clamp(1e-4, 1).pow(gamma)
    if how.spoil:
        views = spoil(views, how.spoil, generator)
    if how.erase:
        views = _erase(views, how.erase, generator)
    return views


def random_crop(faces: Tensor, side: int, generator: Generator) -> Tensor:
    """Return a square part (N, 1, side, side) of each picture (N, 1, S, S), each at its own place.

    Raises `ValueError` for a side of less than 1 or more than S.
    """
    count, _, whole, _ = faces.shape
    _check_side(side, whole)
    most = whole - side + 1
    first = torch.randint(most, (2, count, 1), generator=generator, device=generator.device)
    down, across = first.to(faces.device) + torch.arange(side, device=faces.device)
    rows = torch.arange(count, device=faces.device).view(-1, 1, 1)
    parts: Tensor = faces[rows, 0, down.unsqueeze(2), across.unsqueeze(1)]
    return parts.unsqueeze(1)


def centre_crop(faces: Tensor, side: int) -> Tensor:
    """Return the central part (N, 1, side, side) of pictures (N, 1, S, S).

    Raises `ValueError` for a side of less than 1 or more than S.
    """
    whole = faces.shape[3]
    _check_side(side, whole)
    first = (whole - side) // 2
    return faces[:, :, first : first + side, first : first + side]


def mixup(
    views: Tensor, targets: dict[str, Tensor], alpha: float, generator: Generator
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return each view blended with the one before it, and their targets blended alike.

    views (N, 1, S, S); targets by name, (N, C) distributions, on the same device. The weight
    of each is drawn from Beta(alpha, alpha). A batch is in random order already, so its neighbour
    is a random other. Zhang et al., "mixup", arXiv 1710.09412, section 1.
    """
    weight = _beta(alpha, len(views), generator).to(views)

    def blend(values: Tensor) -> Tensor:
        own = weight.view(-1, *[1] * (values.ndim - 1))
        return values * own + values.roll(1, 0) * (1 - own)

    return blend(views), {name: blend(values) for name, values in targets.items()}


def _beta(alpha: float, count: int, generator: Generator) -> Tensor:
    """Draw (count,) numbers from Beta(alpha, alpha); torch's own Beta takes no generator."""
    shape = torch.full((2, count), alpha, dtype=torch.float64, device=generator.device)
    # Both can be too small for a number where alpha is small; the blend is even then.
    first, second = torch._standard_gamma(shape, generator=generator).clamp_min(1e-300)
    weight: Tensor = first / (first + second)
    return weight


def _check_side(side: int, whole: int) -> None:
    if not 1 <= side <= whole:
        raise ValueError(f"expected a side of 1 to {whole}, found {side}")


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
    u = torch.rand(5, count, 1, generator=generator, device=generator.device).to(faces.device)
    area, aspect = 0.02 + 0.18 * u[0], torch.exp((u[1] * 2 - 1) * math.log(3.0))
    width = (area * aspect).sqrt().clamp(max=1)
    height = (area / aspect).sqrt().clamp(max=1)
    place = (torch.arange(side, device=faces.device) + 0.5) / side
    left, top = u[2] * (1 - width), u[3] * (1 - height)
    across = (place >= left) & (place < left + width)
    down = (place >= top) & (place < top + height)
    inside = down[:, :, None] & across[:, None, :] & (u[4] < probability)[:, :, None]
    return torch.where(inside[:, None], faces.mean((1, 2, 3), keepdim=True), faces)
