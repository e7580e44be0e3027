"""How training varies the view of a face: where the crop lies, its light, what covers it."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from models.data.landmarks import PATCH_SIDE
from models.runtime.landmark_crop import CROP, WIDER
from models.training.landmark_recipe import Views

__all__ = ["Placement", "change_light", "place", "sample", "spoil"]

_BLOCK = 8
# Table K.1 of JPEG (ITU T.81): how coarsely each frequency of a block is kept.
_COARSENESS = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


class Placement:
    """Hold where crops lie on their patches.

    linear (N, 2, 2) and shift (N, 2) map a place of the crop, its middle being 0 and its side 1,
    to one of the patch in sides of the face's square; mirrored (N,).
    """

    def __init__(self, linear: Tensor, shift: Tensor, mirrored: Tensor) -> None:
        self.linear, self.shift, self.mirrored = linear, shift, mirrored

    @property
    def scale(self) -> Tensor:
        """Return the side of each crop in sides of the face's square, (N,)."""
        size: Tensor = torch.linalg.det(self.linear).abs().sqrt()
        return size

    def to_crop(self, points: Tensor) -> Tensor:
        """Return where points (N, K, 2) of the patches lie in the crops, in parts of the crop."""
        away = points - self.shift[:, None]
        inside: Tensor = away @ torch.linalg.inv(self.linear).transpose(1, 2) + 0.5
        return inside

    def from_crop(self, points: Tensor) -> Tensor:
        """Return where points (N, K, 2) of the crops, in parts of these, lie in the patches."""
        return (points - 0.5) @ self.linear.transpose(1, 2) + self.shift[:, None]

    @classmethod
    def still(
        cls, count: int, *, size: float = 1.0, shift: float = 0.0, mirrored: bool = False
    ) -> Placement:
        """Return so many crops in one place: as a box lies that is too large and too far aside.

        shift: to the right and down, together, in sides of the face's square.
        """
        linear = torch.eye(2) * (WIDER * size)
        if mirrored:
            linear[0, 0] *= -1
        away = torch.full((count, 2), shift / math.sqrt(2))
        return cls(linear.expand(count, 2, 2), away, torch.full((count,), mirrored))

    def to(self, device: torch.device) -> Placement:
        """Return the same on a device."""
        return Placement(self.linear.to(device), self.shift.to(device), self.mirrored.to(device))


def place(count: int, how: Views, generator: Generator) -> Placement:
    """Draw where so many crops lie."""
    device = generator.device

    def uniform(most: float) -> Tensor:
        return (torch.rand(count, generator=generator, device=device) * 2 - 1) * most

    wild = torch.rand(count, generator=generator, device=device) < how.wild
    # Most faces are nearly upright: the half of the turns is small.
    turned = torch.rand(count, generator=generator, device=device) < 0.5
    angle = torch.deg2rad(uniform(how.rotate)) * torch.where(turned, 1.0, 0.3)
    size = uniform(1.0) * torch.where(wild, math.log(2.5), math.log1p(how.scale))
    shift = torch.stack([uniform(1.0), uniform(1.0)], 1)
    shift = shift * torch.where(wild, 0.8, how.shift)[:, None]
    mirrored = torch.rand(count, generator=generator, device=device) < 0.5
    stretch, shear = uniform(how.stretch), uniform(how.stretch)
    scale = WIDER * size.exp()
    cos, sin = scale * angle.cos(), scale * angle.sin()
    turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    zero = torch.zeros_like(stretch)
    shape = torch.stack(
        [torch.stack([stretch.exp(), shear], 1), torch.stack([zero, (-stretch).exp()], 1)], 1
    )
    mirror = torch.where(mirrored, -1.0, 1.0)
    linear = turn @ shape
    linear = torch.stack([linear[:, :, 0] * mirror[:, None], linear[:, :, 1]], 2)
    return Placement(linear, shift, mirrored)


def sample(patches: Tensor, at: Placement) -> Tensor:
    """Return the crops (N, 1, 64, 64), 0 to 1, of patches (N, P, P) uint8."""
    half = PATCH_SIDE / 2
    # The grid of `affine_grid` spans -1 to 1, the crop -0.5 to 0.5.
    theta = torch.cat([at.linear / 2, at.shift[:, :, None]], 2) / half
    grid = F.affine_grid(theta, [len(patches), 1, CROP, CROP], align_corners=False)
    pictures = patches[:, None].float() / 255
    return F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def change_light(crops: Tensor, how: Views, generator: Generator) -> Tensor:
    """Return crops in another light: darker, brighter, flatter, or lit from one side."""
    count, device = len(crops), crops.device

    def uniform(low: float, high: float) -> Tensor:
        drawn = torch.rand((count, 1, 1, 1), generator=generator, device=device)
        return low + (high - low) * drawn

    chosen = uniform(0, 1) < how.light
    angle, depth = uniform(0, 2 * math.pi), uniform(0, 1.6) * (uniform(0, 1) < 0.5)
    places = torch.linspace(-0.5, 0.5, crops.shape[-1], device=device)
    slope = angle.cos() * places[None, None, None, :] + angle.sin() * places[None, None, :, None]
    lit = crops.clamp_min(1e-4) ** uniform(-0.6, 0.6).exp() * (depth * slope).exp()
    level = lit.mean((2, 3), keepdim=True)
    lit = (lit - level) * uniform(0.4, 1.3) + level * uniform(0.15, 1.5)
    return torch.where(chosen, lit.clamp(0, 1), crops)


def spoil(crops: Tensor, how: Views, generator: Generator) -> Tensor:
    """Return crops partly covered, coarser, noisier and with JPEG's blocks, each by chance."""
    crops = _cover(crops, how.cover, generator)
    crops = _coarser(crops, how.coarse, generator)
    count, device = len(crops), crops.device
    chance = torch.rand((2, count, 1, 1, 1), generator=generator, device=device)
    strength = torch.rand((2, count, 1, 1, 1), generator=generator, device=device)
    noise = torch.randn(crops.shape, generator=generator, device=device)
    crops = crops + noise * (0.08 * strength[0] ** 2) * (chance[0] < how.noise)
    crops = (crops.clamp(0, 1) * 255).round() / 255
    return torch.where(chance[1] < how.blocks, _blocks(crops, 0.3 + 3 * strength[1]), crops)


def _cover(crops: Tensor, chance: float, generator: Generator) -> Tensor:
    """Cover a rectangle with a part of another crop, or with one grey."""
    count, _, side, _ = crops.shape
    drawn = torch.rand((7, count, 1, 1, 1), generator=generator, device=crops.device)
    places = (torch.arange(side, device=crops.device) + 0.5) / side
    inside = ((places[None, None, None, :] - drawn[0]).abs() < 0.07 + 0.2 * drawn[1]) & (
        (places[None, None, :, None] - drawn[2]).abs() < 0.07 + 0.2 * drawn[3]
    )
    other = crops.roll(1, 0).roll((side // 3, side // 2), (2, 3))
    filling = torch.where(drawn[4] < 0.5, other, drawn[5].expand_as(other))
    return torch.where(inside & (drawn[6] < chance), filling, crops)


def _coarser(crops: Tensor, chance: float, generator: Generator) -> Tensor:
    """Bring some to a lower resolution, or blur them in one direction, and back."""
    drawn = torch.rand(3, generator=generator, device=crops.device).tolist()
    row = torch.rand((2, len(crops), 1, 1, 1), generator=generator, device=crops.device)
    side = round(16 + 32 * drawn[0])
    small = F.interpolate(crops, (side, side), mode="bilinear", antialias=True)
    low = F.interpolate(small, crops.shape[2:], mode="bilinear")
    length = 3 if drawn[1] < 0.5 else 5
    size = (1, length) if drawn[2] < 0.5 else (length, 1)
    moved = F.avg_pool2d(crops, size, 1, (size[0] // 2, size[1] // 2), count_include_pad=False)
    return torch.where(row[0] < chance, torch.where(row[1] < 0.7, low, moved), crops)


def _blocks(crops: Tensor, strength: Tensor) -> Tensor:
    """Keep of each 8 x 8 block what JPEG would, `strength` times as coarsely as its table."""
    count, _, side, _ = crops.shape
    index = torch.arange(_BLOCK, device=crops.device)
    waves = torch.cos((2 * index[None, :] + 1) * index[:, None] * math.pi / (2 * _BLOCK)) / 2
    waves[0] /= math.sqrt(2)
    many = side // _BLOCK
    blocks = (crops * 255 - 128).view(count, many, _BLOCK, many, _BLOCK).transpose(2, 3)
    table = torch.tensor(_COARSENESS, device=crops.device) * strength[..., None]
    kept = (waves @ blocks @ waves.T / table).round() * table
    back = (waves.T @ kept @ waves).transpose(2, 3).reshape(count, 1, side, side)
    return ((back + 128) / 255).clamp(0, 1)
