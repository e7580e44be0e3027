"""Read an ONNX graph's shapes and constants, and write nodes after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from models.runtime.card import ModelError

Shape = tuple[int | str | None, ...]
"""Sizes where they are known, a name for a free one such as the number of faces."""


class Graph:
    """Hold a graph with its nodes and constants, and add to it.

    Names that are made here begin with "guided/", which no exported graph uses.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
        graph = inferred.graph
        self.nodes: list[Any] = list(graph.node)
        self.constants: dict[str, Any] = {entry.name: entry for entry in graph.initializer}
        self.made: list[Any] = []
        self._shapes: dict[str, Shape] = {
            value.name: _shape(value) for value in (*graph.input, *graph.value_info, *graph.output)
        }

    def shape(self, name: str) -> Shape:
        """Return the shape of a value; raise `ModelError` where not even its rank is known."""
        if name in self.constants:
            return tuple(self.constants[name].dims)
        if name not in self._shapes:
            raise ModelError(f"expected the shape of {name} in the graph, found none: {_AGAIN}")
        return self._shapes[name]

    def sizes(self, name: str, axes: Sequence[int]) -> list[int]:
        """Return the sizes of some axes; raise `ModelError` for one that is not fixed."""
        shape = self.shape(name)
        found = [shape[axis] for axis in axes]
        if not all(isinstance(size, int) for size in found):
            raise ModelError(f"expected fixed sizes of {name}, found {shape}: {_AGAIN}")
        return [size for size in found if isinstance(size, int)]

    def value(self, name: str) -> NDArray[Any]:
        """Return a constant; raise `ModelError` for a value that is computed."""
        if name not in self.constants:
            raise ModelError(f"expected {name} to be a constant, found a computed value: {_AGAIN}")
        return np.asarray(numpy_helper.to_array(self.constants[name]))

    def constant(self, values: NDArray[Any] | Sequence[int] | float) -> str:
        """Add a constant and return its name; integers become int64, other numbers float32."""
        array = np.asarray(values)
        array = array.astype(np.int64 if array.dtype.kind == "i" else np.float32)
        for name, tensor in self.constants.items():
            if name.startswith(_OURS) and _same(numpy_helper.to_array(tensor), array):
                return name
        name = f"{_OURS}{len(self.constants)}"
        self.constants[name] = numpy_helper.from_array(array, name)
        return name

    def add(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node after all others; return the name of its output, or a list of several."""
        names = [f"{_OURS}{kind}{len(self.made)}.{number}" for number in range(outputs)]
        self.made.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def shape_of(self, name: str) -> str:
        """Return a value that holds the shape as it is when the graph runs."""
        return str(self.add("Shape", name))

    def reduced_to(self, gradient: str, target: str, source: str) -> str:
        """Return a gradient shaped like `source` summed over what `target` was broadcast along."""
        small, large = self.shape(target), self.shape(source)
        lead = len(large) - len(small)
        axes = [
            axis
            for axis, size in enumerate(large)
            if axis < lead or (small[axis - lead] == 1 and size != 1)
        ]
        if not axes:
            return gradient
        summed = self.add("ReduceSum", gradient, self.constant(axes), keepdims=1)
        return str(self.add("Reshape", summed, self.shape_of(target))) if lead else str(summed)


_OURS = "guided/"
_AGAIN = "export the model again with fer-export-onnx"


def in_order(graph: Any) -> list[Any]:
    """Return the nodes of a graph so that each comes after those whose values it takes."""
    made = {name for node in graph.node for name in node.output}
    ordered: list[Any] = []
    waiting = list(graph.node)
    while waiting:
        later = []
        for node in waiting:
            if made.intersection(node.input):
                later.append(node)
            else:
                ordered.append(node)
                made.difference_update(node.output)
        if len(later) == len(waiting):
            raise ModelError(f"expected nodes in an order, found a circle: {_AGAIN}")
        waiting = later
    return ordered


def attributes_of(node: Any) -> dict[str, Any]:
    """Return a node's attributes as plain values, text instead of bytes."""
    found = {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}
    return {
        name: value.decode() if isinstance(value, bytes) else value for name, value in found.items()
    }


def _shape(value: Any) -> Shape:
    dims = value.type.tensor_type.shape.dim
    return tuple(
        dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None for dim in dims
    )


def _same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and bool((one == other).all())
