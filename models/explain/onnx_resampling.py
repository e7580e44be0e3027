"""The derivative of GridSample: bilinear resampling as products of matrices.

A sample at (x, y) is the sum over rows i and columns j of X[i, j] a(y, i) b(x, j), where a and b
fall from 1 to 0 within one pixel. All samples together are two products of matrices, and so are
both derivatives; what lies outside the picture has no row or column and counts as 0.
Jaderberg et al., arXiv 1506.02025, equations 5 to 7.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from models.explain.onnx_graph import Graph, attributes_of
from models.runtime.card import ModelError


def grid_sample(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    """Return the gradients (N, C, H, W) by the picture and (N, P, Q, 2) by the grid."""
    given = attributes_of(node)
    picture, grid = node.input
    padding = given.get("padding_mode", "zeros")
    if given.get("mode", "linear") not in ("bilinear", "linear") or padding == "reflection":
        raise ModelError(f"expected bilinear sampling without reflection, found {given}")
    channels, height, width = graph.sizes(picture, (1, 2, 3))
    corners = bool(given.get("align_corners", 0))
    across = _pixels(graph, grid, 0, width, corners=corners, clip=padding == "border")
    down = _pixels(graph, grid, 1, height, corners=corners, clip=padding == "border")
    rows, columns = _weights(graph, down, height), _weights(graph, across, width)
    flat = graph.add("Reshape", gradient, graph.constant([0, channels, 1, -1]))
    # (N, C, H, P) x (N, 1, P, W)
    spread = graph.add("Mul", flat, rows)
    back = graph.add("MatMul", spread, graph.add("Transpose", columns, perm=[0, 1, 3, 2]))
    found = {picture: str(back)}
    if grid not in graph.constants and padding == "zeros":
        x = _along(graph, flat, picture, rows, _slopes(graph, across, width))
        # The same with rows and columns exchanged.
        turned = graph.add("Transpose", picture, perm=[0, 1, 3, 2])
        y = _along(graph, flat, turned, columns, _slopes(graph, down, height))
        scaled = [
            graph.add("Mul", part, graph.constant((size - 1 if corners else size) / 2))
            for part, size in ((x, width), (y, height))
        ]
        pair = graph.add("Concat", *scaled, axis=-1)
        found[grid] = str(graph.add("Reshape", pair, graph.shape_of(grid)))
    return found


def _pixels(graph: Graph, grid: str, axis: int, size: int, *, corners: bool, clip: bool) -> str:
    """Return one coordinate of all samples in pixels, (N, 1, 1, P), pixel middles whole numbers."""
    part = graph.add("Gather", grid, graph.constant([axis]), axis=3)
    flat = graph.add("Reshape", part, graph.constant([0, 1, 1, -1]))
    half = (size - 1) / 2 if corners else size / 2
    scaled = graph.add("Mul", flat, graph.constant(float(half)))
    place = graph.add("Add", scaled, graph.constant((size - 1) / 2))
    if clip:
        place = graph.add("Clip", place, graph.constant(0.0), graph.constant(float(size - 1)))
    return str(place)


def _weights(graph: Graph, place: str, size: int) -> str:
    """Return the share of each of `size` pixels in each sample, (N, 1, size, P)."""
    apart = graph.add("Abs", _apart(graph, place, size))
    return str(graph.add("Relu", graph.add("Sub", graph.constant(1.0), apart)))


def _slopes(graph: Graph, place: str, size: int) -> str:
    """Return how each share changes with the place: -1 for the pixel before, +1 for the next."""
    apart = _apart(graph, place, size)
    beyond = graph.add("Cast", graph.add("Greater", apart, graph.constant(0.0)), to=1)
    sign = graph.add("Sub", graph.add("Mul", beyond, graph.constant(2.0)), graph.constant(1.0))
    near = graph.add(
        "And",
        graph.add("Greater", apart, graph.constant(-1.0)),
        graph.add("LessOrEqual", apart, graph.constant(1.0)),
    )
    return str(graph.add("Mul", sign, graph.add("Cast", near, to=1)))


def _apart(graph: Graph, place: str, size: int) -> str:
    numbers = graph.constant(np.arange(size, dtype=np.float32)[:, None])
    return str(graph.add("Sub", numbers, place))


def _along(graph: Graph, gradient: str, picture: str, rows: str, slopes: str) -> str:
    """Return the gradient by the place along the picture's last axis of all samples, (N, P, 1).

    gradient: (N, C, 1, P). picture: (N, C, H, W). rows: (N, 1, H, P). slopes: (N, 1, W, P).
    """
    change = graph.add("Mul", graph.add("MatMul", picture, slopes), rows)  # (N, C, H, P)
    weighed = graph.add("Mul", change, gradient)
    summed = graph.add("ReduceSum", weighed, graph.constant([1, 2]), keepdims=0)
    return str(graph.add("Unsqueeze", summed, graph.constant([2])))
