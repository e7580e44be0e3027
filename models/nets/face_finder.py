"""The face finder: three maps of cells, each cell saying whether a face has its centre there.

Without anchors, as FCOS (Tian et al., arXiv 1904.01355) and YOLOX (Ge et al., arXiv 2107.08430,
section 2.1); the outputs are those of YuNet (Wu, Peng and Yu 2023, Machine Intelligence Research
20), so that OpenCV's FaceDetectorYN decodes them. The two large maps are made by plain 3x3
convolutions of few channels, which OpenCV runs faster than separable ones of the same use; the
small maps by separable ones (Howard et al., arXiv 1704.04861), which need fewer weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["CHANNELS", "STRIDES", "FaceFinderNet"]

STRIDES = (8, 16, 32)
"""Pixels a cell, by level."""
CHANNELS = 16
"""Numbers a cell: presence, overlap, four of the box, ten of the landmarks."""
_PRIOR = 0.01
_FIRST, _SECOND, _NEAR, _FAR = 16, 24, 32, 64


class FaceFinderNet(nn.Module):
    """Map (N, 3, H, W) float32 BGR of 0 to 1 to cells; H and W are multiples of 32.

    A feature pyramid (Lin et al., arXiv 1612.03144) hands what the coarse levels see down to the
    finer ones. 82,320 parameters.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_plain(3, _FIRST, 2), _plain(_FIRST, _SECOND, 2))
        self.level8 = nn.Sequential(_plain(_SECOND, _NEAR, 2), _plain(_NEAR, _NEAR))
        self.level16 = nn.Sequential(
            _separable(_NEAR, _FAR, 2), _separable(_FAR, _FAR), _separable(_FAR, _FAR)
        )
        # Wider kernels, so that a cell sees a face that fills the frame.
        self.level32 = nn.Sequential(
            _separable(_FAR, _FAR, 2, kernel=5), _separable(_FAR, _FAR, kernel=5)
        )
        self.neck32 = _separable(_FAR, _FAR)
        self.neck16 = _separable(_FAR, _FAR)
        self.narrow = _convolve(_FAR, _NEAR, 1)
        self.neck8 = _plain(_NEAR, _NEAR)
        self.head8 = nn.Conv2d(_NEAR, CHANNELS, 3, padding=1)
        self.head16 = nn.Sequential(_separable(_FAR, _FAR), nn.Conv2d(_FAR, CHANNELS, 1))
        self.head32 = nn.Sequential(_separable(_FAR, _FAR), nn.Conv2d(_FAR, CHANNELS, 1))
        self._begin()

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return a (N, cells, 16) tensor for each stride, cells by row: the raw numbers.

        Presence and overlap (with the true box) are logits. Box centre and landmarks are in
        strides from the cell's upper left corner, width and height the logarithms of strides.
        """
        near = self.level8(self.stem(x))
        middle = self.level16(near)
        far = self.neck32(self.level32(middle))
        middle = self.neck16(middle + _double(far))
        near = self.neck8(near + _double(self.narrow(middle)))
        maps = (self.head8(near), self.head16(middle), self.head32(far))
        return [values.permute(0, 2, 3, 1).flatten(1, 2) for values in maps]

    def _begin(self) -> None:
        """Let every cell begin by saying "no face" (Lin et al., arXiv 1708.02002, section 3.3)."""
        for head in (self.head8, self.head16[-1], self.head32[-1]):
            assert isinstance(head, nn.Conv2d)
            assert head.bias is not None
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)
            with torch.no_grad():
                head.bias[0] = float(torch.logit(torch.tensor(_PRIOR)))
                head.bias[2:4] = 0.5
                head.bias[4:6] = 1.2
                head.bias[6:] = 0.5


def _double(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


def _convolve(
    channels: int, out: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    convolution = nn.Conv2d(channels, out, kernel, stride, kernel // 2, groups=groups, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    if groups > 1:
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.ReLU(inplace=True))


def _plain(channels: int, out: int, stride: int = 1) -> nn.Sequential:
    return _convolve(channels, out, 3, stride)


def _separable(channels: int, out: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    """Convolve each channel by itself, then all of them at each place."""
    return nn.Sequential(
        _convolve(channels, channels, kernel, stride, groups=channels), _convolve(channels, out, 1)
    )
