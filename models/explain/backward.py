"""Write the guided backward pass of an exported model as an ONNX graph of its own.

The graph is derived from the model's file alone, operator by operator, so it needs no torch and
holds for any checkpoint, recipe or future network made of the operators in `RULES`. Its weights
are those of the model: the file says where in the model's file they lie, and stays small.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.explain.guided import FORMAT, METADATA_KEY, guided_file
from models.explain.onnx_gradients import RULES
from models.explain.onnx_graph import Graph, in_order
from models.runtime.card import ModelError, file_facts

_OLDEST_OPSET = 18
_SHARED_BYTES = 64
"""Constants of fewer bytes are copied: to say where they lie would take as much."""


def write_guided(model: Path) -> Path:
    """Write `<model>.guided.onnx` beside an exported model and return its path.

    Inputs: crops (N, 1, S, S) float32, normalised as the card says; label (N,) int64, see
    `GuidedBackprop.gradients`. Output: guided (N, 1, S, S) float32, signed. A float16 model is
    followed back in float32. Raises `ModelError` for a file or a network that it cannot be
    written for, saying which operator has no rule; an older file then stays as it was.
    """
    graph = guided_graph(_load(model), model.name)
    _share(graph, model)
    facts = {"format": FORMAT, "sha256": file_facts(model).sha256}
    helper.set_model_props(graph, {METADATA_KEY: json.dumps(facts)})
    target = guided_file(model)
    # The exact name is needed while writing: places of weights are kept relative to it.
    with tempfile.TemporaryDirectory(dir=model.parent, prefix=".guided-") as folder:
        draft = Path(folder) / target.name
        draft.write_bytes(graph.SerializeToString())
        os.replace(draft, target)  # noqa: PTH105
    return target


def guided_graph(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """Return the backward graph of a model, complete with its weights.

    name: what to call the model in an error.
    """
    _check(model, name)
    forward = _as_float32(model)
    graph = Graph(forward)
    target, seed = _seed(graph, forward)
    gradients = {target: seed}
    depends = _dependent(graph.nodes)
    for node in list(reversed(graph.nodes)):
        gradient = gradients.get(node.output[0])
        if gradient is None or node.output[0] not in depends:
            continue
        if node.op_type not in RULES:
            raise ModelError(
                f"{name}: expected operators whose guided derivative is known, found "
                f"{node.op_type}{_WHY.get(node.op_type, '')}: this network has no guided view"
            )
        for source, part in RULES[node.op_type](graph, node, gradient).items():
            if source in depends:
                before = gradients.get(source)
                gradients[source] = graph.add("Add", before, part) if before else part
    return _assembled(graph, forward, gradients["crops"])


_WHY = {
    "PRelu": ", which lets a part of what is below 0 pass, so that there is nothing to guide by",
    "DequantizeLinear": " of an int8 model (write it for the fp32 or fp16 one)",
    "QuantizeLinear": " of an int8 model (write it for the fp32 or fp16 one)",
}


def _load(path: Path) -> onnx.ModelProto:
    try:
        return onnx.load(path)
    except Exception as error:  # protobuf raises kinds of its own
        raise ModelError(f"{path}: expected an ONNX model, found: {error}") from error


def _check(model: onnx.ModelProto, name: str) -> None:
    opset = max((entry.version for entry in model.opset_import if not entry.domain), default=0)
    inputs = [value.name for value in model.graph.input]
    outputs = [value.name for value in model.graph.output]
    if inputs != ["crops"] or "logits" not in outputs:
        raise ModelError(
            f"{name}: expected a model of fer-export-onnx with crops and logits, found "
            f"{', '.join(inputs)} and {', '.join(outputs)}"
        )
    if opset < _OLDEST_OPSET:
        raise ModelError(
            f"{name}: expected operator set {_OLDEST_OPSET} or newer for a backward graph, found "
            f"{opset}: export it with --opset {_OLDEST_OPSET}"
        )


def _as_float32(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model in float32 throughout: float16 weights are widened, casts do nothing.

    The nodes come in the order in which they can be computed, which tools do not always keep.
    """
    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    graph = plain.graph
    ordered = in_order(graph)
    del graph.node[:]
    graph.node.extend(ordered)
    narrow = [entry for entry in graph.initializer if entry.data_type == TensorProto.FLOAT16]
    if not narrow:
        return plain
    for entry in narrow:
        wide = numpy_helper.to_array(entry).astype(np.float32)
        entry.CopyFrom(numpy_helper.from_array(wide, entry.name))
    for node in graph.node:
        if node.op_type == "Cast" and _cast_to(node) in (TensorProto.FLOAT, TensorProto.FLOAT16):
            node.op_type = "Identity"
            node.ClearField("attribute")
    del graph.value_info[:]
    return plain


def _cast_to(node: Any) -> int:
    return int(next(entry.i for entry in node.attribute if entry.name == "to"))


def _dependent(nodes: list[Any]) -> set[str]:
    """Return the values that change with the crops, other than by their number."""
    found = {"crops"}
    for node in nodes:
        if node.op_type not in ("Shape", "Size") and found.intersection(node.input):
            found.update(node.output)
    return found


def _seed(graph: Graph, model: onnx.ModelProto) -> tuple[str, str]:
    """Return the value to begin at and the gradient there, as the input `label` asks.

    The logit is the mean of its class activation map, so both wishes begin at the maps where
    there are any.
    """
    outputs = {value.name for value in model.graph.output}
    target = "cam" if "cam" in outputs else "logits"
    shape = graph.shape(target)
    rest = [1] * (len(shape) - 1)
    (labels,) = graph.sizes(target, (1,))
    places = float(np.prod(graph.sizes(target, range(2, len(shape)))))
    number = graph.add("Reshape", "label", graph.constant([-1, *rest]))
    every = graph.constant(np.arange(labels).reshape(labels, *rest[1:]))
    chosen = graph.add("Cast", graph.add("Equal", number, every), to=TensorProto.FLOAT)
    share = graph.add("Div", chosen, graph.constant(places))
    top = graph.add("ReduceMax", target, graph.constant([1]), keepdims=1)
    highest = graph.add("Cast", graph.add("Equal", target, top), to=TensorProto.FLOAT)
    asked = graph.add("Less", number, graph.constant(np.array(0)))
    return target, graph.add("Where", asked, highest, share)


def _assembled(graph: Graph, model: onnx.ModelProto, gradient: str) -> onnx.ModelProto:
    """Return a model of the nodes that the gradient needs, and of nothing else."""
    last = helper.make_node("Identity", [gradient], ["guided"])
    nodes, needed = [last], {gradient}
    for node in [*reversed(graph.made), *reversed(graph.nodes)]:
        if needed.intersection(node.output):
            nodes.append(node)
            needed.update(node.input)
    size = graph.shape("crops")
    made = helper.make_graph(
        nodes[::-1],
        "guided",
        [
            helper.make_tensor_value_info("crops", TensorProto.FLOAT, size),
            helper.make_tensor_value_info("label", TensorProto.INT64, [size[0]]),
        ],
        [helper.make_tensor_value_info("guided", TensorProto.FLOAT, size)],
        [tensor for name, tensor in graph.constants.items() if name in needed],
    )
    return helper.make_model(made, opset_imports=model.opset_import, ir_version=model.ir_version)


def _share(graph: onnx.ModelProto, model: Path) -> None:
    """Let the weights point into the model's file instead of being held twice.

    Weights that lie there in float16 are widened when the graph is loaded.
    """
    data = model.read_bytes()
    widened = []
    for tensor in graph.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.nbytes < _SHARED_BYTES or values.dtype != np.float32:
            continue
        half = values.astype(np.float16)
        place = data.find(values.tobytes())
        if place < 0 and (half == values).all():
            place = data.find(half.tobytes())
            if place >= 0:
                values = half
                widened.append(tensor)
        if place >= 0:
            _point(tensor, model.name, place, values.nbytes)
    for tensor in widened:
        name, tensor.name = tensor.name, f"{tensor.name}/half"
        tensor.data_type = TensorProto.FLOAT16
        cast = helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT)
        graph.graph.node.insert(0, cast)


def _point(tensor: Any, location: str, offset: int, length: int) -> None:
    tensor.ClearField("raw_data")
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
