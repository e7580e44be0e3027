"""The derivative of a convolution by its picture, as a convolution where that is faster.

ONNX Runtime's convolution knows the processor's own layouts, its transposed convolution does not.
The turned weights are computed from the shared ones, once, when the graph is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.explain.onnx_graph import Graph, attributes_of
from models.runtime.card import ModelError

_BEGIN = np.iinfo(np.int64).min
_WIDE = 16
"""Channels from which the layout pays: it fills up to this many with nothing."""


@dataclass(frozen=True, slots=True)
class _Windows:
    """Hold how a convolution's windows lie, each a pair of rows and columns.

    rest: rows and columns that no window reached at the far end.
    """

    group: int
    kernel: list[int]
    strides: list[int]
    dilations: list[int]
    before: list[int]
    after: list[int]
    rest: list[int]


def convolution(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    """Return the gradient by the picture (N, I, H, W) of a convolution with constant weights."""
    windows = _windows(graph, node)
    crops, weights = node.input[:2]
    reach = [
        each * (side - 1) for each, side in zip(windows.dilations, windows.kernel, strict=True)
    ]
    pads = [
        side - end for side, end in zip(reach * 2, [*windows.before, *windows.after], strict=True)
    ]
    wide = windows.group == 1 and min(graph.sizes(weights, (0, 1))) >= _WIDE
    if wide and windows.strides == [1, 1] and min(pads) >= 0:
        return {crops: _turned_convolution(graph, weights, gradient, windows, pads)}
    return {crops: _transposed(graph, weights, gradient, windows)}


def _windows(graph: Graph, node: Any) -> _Windows:
    given = attributes_of(node)
    crops, weights = node.input[:2]
    if given.get("auto_pad", "NOTSET") != "NOTSET":
        raise ModelError(f"expected a convolution with its padding in numbers, found {given}")
    kernel = graph.sizes(weights, (2, 3))
    strides = list(given.get("strides", (1, 1)))
    pads = list(given.get("pads", (0, 0, 0, 0)))
    dilations = list(given.get("dilations", (1, 1)))
    rest = [
        size - ((out - 1) * stride - before - after + dilation * (side - 1) + 1)
        for size, out, stride, before, after, dilation, side in zip(
            graph.sizes(crops, (2, 3)),
            graph.sizes(node.output[0], (2, 3)),
            strides,
            pads[:2],
            pads[2:],
            dilations,
            kernel,
            strict=True,
        )
    ]
    return _Windows(given.get("group", 1), kernel, strides, dilations, pads[:2], pads[2:], rest)


def _turned_convolution(
    graph: Graph, weights: str, gradient: str, windows: _Windows, pads: list[int]
) -> str:
    """Convolve with weights (O, I, h, w) as (I, O, h, w), turned by half a turn."""
    turned = graph.add("Transpose", weights, perm=[1, 0, 2, 3])
    if windows.kernel != [1, 1]:
        back, ends = graph.constant([-1, -1]), graph.constant([_BEGIN, _BEGIN])
        turned = graph.add("Slice", turned, back, ends, graph.constant([2, 3]), back)
    return str(
        graph.add(
            "Conv",
            gradient,
            turned,
            pads=pads,
            dilations=windows.dilations,
            kernel_shape=windows.kernel,
        )
    )


def _transposed(graph: Graph, weights: str, gradient: str, windows: _Windows) -> str:
    return str(
        graph.add(
            "ConvTranspose",
            gradient,
            weights,
            group=windows.group,
            strides=windows.strides,
            pads=[*windows.before, *windows.after],
            dilations=windows.dilations,
            kernel_shape=windows.kernel,
            output_padding=windows.rest,
        )
    )
