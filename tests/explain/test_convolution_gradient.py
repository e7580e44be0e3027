"""The gradient through a convolution equals torch's, however its windows lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.explain.backward import guided_graph

pytestmark = pytest.mark.train

SIDE = 13
Weights = NDArray[np.float32]


def two_convolutions(
    first: Weights, second: Weights, second_way: dict[str, Any]
) -> onnx.ModelProto:
    """Return a model whose logits are the means of two convolutions, one after the other."""
    axes = numpy_helper.from_array(np.array([2, 3], np.int64), "axes")
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["crops", "first"], ["between"], pads=[1, 1, 1, 1]),
            helper.make_node("Conv", ["between", "second"], ["maps"], **second_way),
            # A convolution is linear: the square makes its gradient depend on the place.
            helper.make_node("Mul", ["maps", "maps"], ["squares"]),
            helper.make_node("ReduceMean", ["squares", "axes"], ["logits"], keepdims=0),
        ],
        "two",
        [helper.make_tensor_value_info("crops", TensorProto.FLOAT, ["faces", 1, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["faces", len(second)])],
        [numpy_helper.from_array(first, "first"), numpy_helper.from_array(second, "second"), axes],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


@pytest.mark.parametrize(
    ("kernel", "group", "stride", "pads", "dilation", "kind"),
    [
        ((3, 3), 1, 1, (1, 1, 1, 1), 1, "Conv"),
        ((1, 1), 1, 1, (0, 0, 0, 0), 1, "Conv"),
        ((3, 5), 1, 1, (0, 1, 2, 3), 1, "Conv"),
        ((3, 3), 1, 1, (2, 2, 2, 2), 2, "Conv"),
        ((3, 3), 16, 1, (1, 1, 1, 1), 1, "ConvTranspose"),
        ((2, 3), 2, 1, (0, 1, 1, 1), 1, "ConvTranspose"),
        ((3, 3), 1, 2, (1, 1, 1, 1), 1, "ConvTranspose"),
        ((2, 2), 4, 3, (0, 0, 0, 0), 1, "ConvTranspose"),
        ((1, 1), 1, 1, (1, 1, 1, 1), 1, "ConvTranspose"),
    ],
)
def test_the_gradient_equals_torchs(
    kernel: tuple[int, int],
    group: int,
    stride: int,
    pads: tuple[int, int, int, int],
    dilation: int,
    kind: str,
) -> None:
    rng = np.random.default_rng(0)
    first = rng.normal(size=(16, 1, 3, 3)).astype(np.float32)
    second = rng.normal(size=(16, 16 // group, *kernel)).astype(np.float32)
    crops = rng.normal(size=(2, 1, SIDE, SIDE)).astype(np.float32)
    way = {
        "group": group,
        "strides": [stride] * 2,
        "pads": list(pads),
        "dilations": [dilation] * 2,
    }
    written = guided_graph(two_convolutions(first, second, way), "two.onnx")
    assert [node.op_type for node in written.graph.node if "Conv" in node.op_type][-2] == kind

    inputs = torch.from_numpy(crops).requires_grad_()
    between = F.conv2d(inputs, torch.from_numpy(first), padding=1)
    top, left, bottom, right = pads
    padded = F.pad(between, (left, right, top, bottom))
    maps = F.conv2d(
        padded, torch.from_numpy(second), stride=stride, dilation=dilation, groups=group
    )
    labels = [4, 1]
    logits = (maps * maps).mean((2, 3))
    (expected,) = torch.autograd.grad(logits[[0, 1], labels].sum(), inputs)

    session = ort.InferenceSession(written.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"crops": crops, "label": np.array(labels)})
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5 * float(expected.abs().max()))


def test_no_turned_weights_are_stored() -> None:
    rng = np.random.default_rng(0)
    first = rng.normal(size=(64, 1, 3, 3)).astype(np.float32)
    second = rng.normal(size=(64, 64, 3, 3)).astype(np.float32)
    written = guided_graph(two_convolutions(first, second, {"pads": [1] * 4}), "two.onnx")
    assert written.ByteSize() < 1.1 * (first.nbytes + second.nbytes)
