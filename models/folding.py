"""Normalisations put into the convolutions before them, which an export then does not need."""

from __future__ import annotations

from copy import deepcopy
from typing import TypeVar

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

N = TypeVar("N", bound=nn.Module)


def fold_norms(network: N) -> N:
    """Return a copy in which each convolution does the work of the normalisation after it.

    network: in eval mode. Only those that follow each other in an `nn.Sequential` are seen.
    """
    copy = deepcopy(network)
    for module in copy.modules():
        if not isinstance(module, nn.Sequential):
            continue
        for at in range(len(module) - 1):
            first, second = module[at], module[at + 1]
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                module[at] = fuse_conv_bn_eval(first, second)
                module[at + 1] = nn.Identity()
    return copy
