"""Draw glasses on faces, all pictures at once.

Networks trained on FER2013 take dark frames for a frown. Faces that wear frames whatever they
show teach them that frames say nothing.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from models.runtime.card import FER2013_SIDE
from models.runtime.framing import EYES

_FACE = 21.5
"""Half the width of a face at its eyes, in pixels of FER2013's 48: there the arms end."""
_ROWS = (8, 31)


def draw_glasses(faces: Tensor, probability: float, generator: Generator) -> Tensor:
    """Return faces (N, 1, S, S), 0 to 1, some of them with glasses where FER2013 has its eyes.

    Size, roundness, thickness, darkness, tint of the lenses, position and tilt are drawn for each
    picture. The faces must be framed as FER2013 frames them and not be turned or moved yet.
    """
    count, _, side, _ = faces.shape
    u = torch.rand(12, count, 1, 1, generator=generator, device=generator.device).to(faces.device)

    def between(row: int, low: float, high: float) -> Tensor:
        return low + (high - low) * u[row]

    # In pixels of FER2013's 48, whatever the side of these faces.
    place = (torch.arange(side, device=faces.device) + 0.5) * (FER2013_SIDE / side)
    (left, eye_line), (right, _) = EYES
    middle = (left + right) / 2 + between(0, -1.2, 1.2)
    line = eye_line + between(1, -0.4, 2.0)
    tilt = between(2, -0.07, 0.07)
    x = place.view(1, 1, side) - middle
    # Glasses of any draw lie between these rows; the others need no work.
    top, bottom = side * _ROWS[0] // FER2013_SIDE, -(-side * _ROWS[1] // FER2013_SIDE)
    y = place[top:bottom].view(1, -1, 1) - line - tilt * x
    width, height = between(3, 6.0, 7.9), between(4, 4.0, 6.8)
    # Both halves at once: the right half is the mirror image of the left.
    lens = _rounded_box(
        x.abs() - (right - left) / 2, y, width, height, between(5, 0.35, 1.0) * height
    )
    thickness = between(6, 0.7, 2.0)
    inner, outer = (right - left) / 2 - width, (right - left) / 2 + width
    high = y + 0.3 * height
    bridge = torch.maximum(x.abs() - inner - 0.5, high.abs())
    along = torch.maximum(outer - 0.5 - x.abs(), x.abs() - _FACE)
    arm = torch.maximum(along, high.abs())
    edge = torch.minimum(lens.abs(), torch.minimum(bridge, arm)) - thickness / 2
    frame = _covered(edge) * between(7, 0.75, 1.0)
    # One pair in four is tinted: mostly a little, seldom as dark as sunglasses.
    tint = _covered(lens) * torch.where(u[8] < 0.25, u[9].square() * 0.8, 0.03)
    dark = between(10, 0.02, 0.35)
    bare = faces[:, 0, top:bottom]
    worn = torch.lerp(torch.lerp(bare, torch.full_like(bare, 0.08), tint), dark, frame)
    views = faces.clone()
    views[:, 0, top:bottom] = torch.where(u[11] < probability, worn, bare)
    return views


def _rounded_box(x: Tensor, y: Tensor, width: Tensor, height: Tensor, radius: Tensor) -> Tensor:
    """Return the distance of every point from the edge of a box, negative inside."""
    over_x, over_y = x.abs() - width + radius, y.abs() - height + radius
    outside = torch.hypot(over_x.clamp_min(0), over_y.clamp_min(0))
    return outside + torch.maximum(over_x, over_y).clamp_max(0) - radius


def _covered(distance: Tensor) -> Tensor:
    """Return how much of a pixel lies inside an edge at this distance, 0 to 1."""
    return (0.5 - distance).clamp(0, 1)
