"""The derivative of each ONNX operator that the networks here use, written in ONNX operators.

A rule takes the graph, a node and the gradient by the node's output, and returns gradients by its
inputs; inputs that do not depend on the crops are left out by whoever asks. All are exact, but for
the ReLU, whose rule is that of guided backpropagation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from models.explain.onnx_convolution import convolution
from models.explain.onnx_graph import Graph, attributes_of
from models.explain.onnx_resampling import grid_sample
from models.runtime.card import ModelError

Rule = Callable[[Graph, Any, str], dict[str, str]]


def _relu(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    """Pass grad * (grad > 0) * (input > 0): Springenberg et al., arXiv 1412.6806, section 3.4."""
    active = graph.add("Greater", node.output[0], graph.constant(0.0))
    return {
        node.input[0]: graph.add("Where", active, graph.add("Relu", gradient), graph.constant(0.0))
    }


def _batch_norm(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    scale, _, _, variance = (graph.value(name) for name in node.input[1:5])
    slope = scale / np.sqrt(variance + attributes_of(node).get("epsilon", 1e-5))
    return {node.input[0]: graph.add("Mul", gradient, graph.constant(slope[:, None, None]))}


def _max_pool(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    """Add each gradient to where its maximum stood; windows may overlap."""
    if len(node.output) == 1:
        node.output.append(f"{node.output[0]}/places")  # counted through the whole batch
    flat = graph.constant([-1])
    size = graph.add("Reshape", graph.add("Size", node.input[0]), flat)
    nothing = graph.add("ConstantOfShape", size)
    places = graph.add("Reshape", node.output[1], flat)
    values = graph.add("Reshape", gradient, flat)
    summed = graph.add("ScatterElements", nothing, places, values, axis=0, reduction="add")
    return {node.input[0]: graph.add("Reshape", summed, graph.shape_of(node.input[0]))}


def _average_pool(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    given = attributes_of(node)
    side = list(given["kernel_shape"])
    sizes = graph.sizes(node.input[0], (1, 2, 3))
    whole = all(size % part == 0 for size, part in zip(sizes[1:], side, strict=True))
    if list(given.get("strides", (1, 1))) != side or any(given.get("pads", ())) or not whole:
        raise ModelError(f"expected an average over windows side by side, found {given}")
    share = np.full((sizes[0], 1, *side), 1 / np.prod(side))
    spread = graph.add(
        "ConvTranspose", gradient, graph.constant(share), group=sizes[0], strides=side
    )
    return {node.input[0]: spread}


def _global_average(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    sizes = graph.sizes(node.input[0], (2, 3))
    share = graph.add("Div", gradient, graph.constant(float(np.prod(sizes))))
    return {node.input[0]: graph.add("Expand", share, graph.shape_of(node.input[0]))}


def _axes(graph: Graph, node: Any) -> list[int]:
    rank = len(graph.shape(node.input[0]))
    axes = graph.value(node.input[1]).tolist() if len(node.input) > 1 else range(rank)
    return [axis % rank for axis in axes]


def _kept(graph: Graph, node: Any, name: str) -> str:
    """Return a value shaped like the reduction's output, with the reduced axes at length 1."""
    if attributes_of(node).get("keepdims", 1):
        return name
    return str(graph.add("Unsqueeze", name, graph.constant(_axes(graph, node))))


def _reduce_sum(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    kept = _kept(graph, node, gradient)
    return {node.input[0]: graph.add("Expand", kept, graph.shape_of(node.input[0]))}


def _reduce_mean(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    count = float(np.prod(graph.sizes(node.input[0], _axes(graph, node))))
    return _reduce_sum(graph, node, graph.add("Div", gradient, graph.constant(count)))


def _reduce_max(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    """Give the gradient to the greatest; several that are equal share it."""
    source = node.input[0]
    equal = graph.add("Equal", source, _kept(graph, node, node.output[0]))
    here = graph.add("Cast", equal, to=1)
    count = graph.add("ReduceSum", here, graph.constant(_axes(graph, node)), keepdims=1)
    share = graph.add("Div", _kept(graph, node, gradient), count)
    return {source: graph.add("Mul", here, share)}


def _add(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    first, second = node.input
    if first == second:
        return {first: graph.add("Add", gradient, gradient)}
    return {name: graph.reduced_to(gradient, name, node.output[0]) for name in (first, second)}


def _multiply(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    first, second = node.input
    if first == second:
        half = graph.add("Mul", gradient, first)
        return {first: graph.add("Add", half, half)}
    return {
        name: graph.reduced_to(graph.add("Mul", gradient, other), name, node.output[0])
        for name, other in ((first, second), (second, first))
    }


def _divide(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    above, below = node.input
    part = graph.add("Div", gradient, below)
    whole = graph.add("Neg", graph.add("Mul", part, node.output[0]))
    return {
        above: graph.reduced_to(part, above, node.output[0]),
        below: graph.reduced_to(whole, below, node.output[0]),
    }


def _sigmoid(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    value = node.output[0]
    slope = graph.add("Mul", value, graph.add("Sub", graph.constant(1.0), value))
    return {node.input[0]: graph.add("Mul", gradient, slope)}


def _reshaped(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    return {node.input[0]: graph.add("Reshape", gradient, graph.shape_of(node.input[0]))}


def _expand(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    return {node.input[0]: graph.reduced_to(gradient, node.input[0], node.output[0])}


def _transpose(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    order = list(attributes_of(node)["perm"])
    back = [order.index(axis) for axis in range(len(order))]
    return {node.input[0]: graph.add("Transpose", gradient, perm=back)}


def _concat(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    axis = attributes_of(node)["axis"]
    place = graph.constant([axis])
    sizes = [graph.add("Gather", graph.shape_of(name), place) for name in node.input]
    parts = graph.add(
        "Split",
        gradient,
        graph.add("Concat", *sizes, axis=0),
        axis=axis,
        outputs=len(node.input),
    )
    if len(set(node.input)) != len(node.input):
        raise ModelError(f"expected different values side by side, found {list(node.input)}")
    return dict(zip(node.input, parts, strict=True))


def _gemm(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    given = attributes_of(node)
    if given.get("transA", 0):
        raise ModelError("expected a product with its first factor as it is, found it transposed")
    back = graph.add(
        "Gemm",
        gradient,
        node.input[1],
        alpha=given.get("alpha", 1.0),
        transB=1 - given.get("transB", 0),
    )
    return {node.input[0]: back}


def _matmul(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    first, second = node.input
    graph.value(second)  # weights: computed factors on the right are not foreseen
    turned = list(range(len(graph.shape(second))))
    turned[-2:] = turned[:-3:-1]
    back = graph.add("MatMul", gradient, graph.add("Transpose", second, perm=turned))
    return {first: back}


def _einsum(graph: Graph, node: Any, gradient: str) -> dict[str, str]:
    terms, _, result = attributes_of(node)["equation"].replace(" ", "").partition("->")
    first, second = terms.split(",")
    graph.value(node.input[1])
    if not set(first) <= set(result) | set(second):
        raise ModelError(f"expected a product whose gradient is a product, found {terms}")
    equation = f"{result},{second}->{first}"
    return {node.input[0]: graph.add("Einsum", gradient, node.input[1], equation=equation)}


RULES: dict[str, Rule] = {
    "Add": _add,
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Concat": _concat,
    "Conv": convolution,
    "Div": _divide,
    "Einsum": _einsum,
    "Expand": _expand,
    "Flatten": _reshaped,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_average,
    "GridSample": grid_sample,
    "Identity": _reshaped,
    "MatMul": _matmul,
    "MaxPool": _max_pool,
    "Mul": _multiply,
    "ReduceMax": _reduce_max,
    "ReduceMean": _reduce_mean,
    "ReduceSum": _reduce_sum,
    "Relu": _relu,
    "Reshape": _reshaped,
    "Sigmoid": _sigmoid,
    "Squeeze": _reshaped,
    "Transpose": _transpose,
    "Unsqueeze": _reshaped,
}
