"""Make pictures of faces as bad as poor light and poor cameras do, a batch at once.

The kinds of Hendrycks and Dietterich, arXiv 1903.12261, that a webcam knows: dim and one-sided
light, a lens out of focus and a sensor's noise, some of which stays in the dark. How a network
stands them afterwards is measured with `models.spoil`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from models.runtime.card import FER2013_SIDE

_DIMMEST = 0.15
_DEEPEST_SHADOW = 0.85
_WIDEST_BLUR = 1.8
_MOST_NOISE, _DARK_NOISE = 0.12, 0.012
_REACH = 6  # of the blur, in pixels to each side


def spoil(faces: Tensor, probability: float, generator: Generator) -> Tensor:
    """Return faces (N, 1, S, S), float 0 to 1 in and out, of which some are spoilt.

    Each that is gets blurred, shadowed, noisy and dimmed with an even chance each. Everything is
    drawn from the generator, as `augment` does it.
    """
    count, device = len(faces), faces.device

    def draw(*size: int) -> Tensor:
        return torch.rand(*size, generator=generator, device=generator.device).to(device)

    which = draw(5, count, 1, 1, 1)
    on = (which[:4] < 0.5) & (which[4] < probability)
    how_much = draw(4, count, 1, 1, 1)
    side = torch.where(draw(count, 1, 1, 1) < 0.5, -1.0, 1.0)
    grain = torch.randn(faces.shape, generator=generator, device=generator.device).to(faces)
    spoilt = torch.where(on[0], _blurred(faces, _WIDEST_BLUR * how_much[0]), faces)
    shadow = 1 - _DEEPEST_SHADOW * how_much[1] * _half(faces, side)
    spoilt = torch.where(on[1], spoilt * shadow, spoilt)
    spoilt = torch.where(on[2], spoilt + _MOST_NOISE * how_much[2] * grain, spoilt)
    dim = spoilt * _DIMMEST ** how_much[3] + _DARK_NOISE * grain
    spoilt = torch.where(on[3], dim, spoilt)
    return spoilt.clamp(0, 1)


def _half(faces: Tensor, side: Tensor) -> Tensor:
    """Return weights (N, 1, 1, S), 0 to 1, that rise softly from one side to the other."""
    width = faces.shape[3]
    across = (torch.arange(width, device=faces.device) + 0.5) / width - 0.5
    return torch.sigmoid(across * side * FER2013_SIDE / 3)


def _blurred(faces: Tensor, sigma: Tensor) -> Tensor:
    """Blur each face by a Gaussian of its own; sigma (N, 1, 1, 1), in pixels of 48."""
    wide = (sigma * faces.shape[3] / FER2013_SIDE).clamp_min(1e-3)
    reach = torch.arange(-_REACH, _REACH + 1, device=faces.device)
    kernel = torch.exp(-0.5 * (reach / wide) ** 2)
    kernel = (kernel / kernel.sum(3, keepdim=True)).to(faces)
    # One group a face, so that each has its own kernel.
    rows = F.pad(faces.transpose(0, 1), (_REACH, _REACH, _REACH, _REACH), mode="replicate")
    rows = F.conv2d(rows, kernel, groups=len(faces))
    return F.conv2d(rows, kernel.transpose(2, 3), groups=len(faces)).transpose(0, 1)
